"""The arguments that a registered backbone knows."""

import inspect
from typing import Any

from rethink_det.registered import backbone_class, is_type

HANDED_ON = {'mmpretrain.TIMMBackbone': {'out_indices': None}}
"""Arguments that a class has not itself, and hands on to what makes the network, with defaults."""


def backbone_arguments(name: str) -> dict[str, Any]:
    """Names of the arguments that a backbone's class knows, its base classes' included.

    Args:
        name: Its ``type``.

    Returns:
        By name the default, ``inspect.Parameter.empty`` where there is none.
    """
    kind = backbone_class(name)
    handed = (keys for other, keys in HANDED_ON.items() if is_type(name, other))
    known: dict[str, Any] = {key: default for keys in handed for key, default in keys.items()}
    for base in inspect.getmro(kind) if inspect.isclass(kind) else (kind,):
        function = base.__dict__.get('__init__') if inspect.isclass(base) else base
        if function is None:
            continue
        arguments = inspect.signature(function).parameters
        known = {key: argument.default for key, argument in arguments.items()} | known
        if not any(a.kind is a.VAR_KEYWORD for a in arguments.values()):
            break
    return known
