"""The class that a ``type`` in a config means."""

from collections.abc import Callable

from mmengine.registry import Registry

from rethink_det.registry import MODELS


def registered(registry: Registry, name: str) -> type | None:
    """What ``registry.build`` would build for ``dict(type=name)`` under the default scope.

    ``Registry.get`` alone knows no default scope: a bare ``CocoDataset`` would not be found.
    """
    with registry.switch_scope_and_registry(None) as current:
        return current.get(name)


def backbone_class(name: str) -> type | Callable | None:
    """The class of the backbones that ``dict(type=name)`` makes.

    A registered function that changes another backbone says in ``builds`` which one.
    """
    kind = registered(MODELS, name)
    return backbone_class(kind.builds) if hasattr(kind, 'builds') else kind
