"""Trained weights that a detector's config brings in besides its backbone's.

An arm that starts from random weights starts from none of them; of the others they are said.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import mmengine.model  # noqa: F401  (registers the initializers)
from mmengine.registry import WEIGHT_INITIALIZERS

from rethink_det.arms import Arm
from rethink_det.errors import UserError
from rethink_det.registered import is_type
from rethink_det.transfer.adapted import Change

TEACHERS = ('teacher_ckpt',)
"""Keys of networks that a detector learns from: without their weights there is nothing to learn."""
_FILES = ('pretrained', 'load_from', 'checkpoint_path')
_NAMED = ('checkpoint', 'weights')
"""Keys of files if they are text: StrongSORT's linker, detectron2's models. Losses have numbers."""
_LANGUAGE = 'language_model'


def drop_pretrained(model: MutableMapping, arm: Arm | None, place: str = 'model') -> list[Change]:
    """Take trained weights out of a model's config, in place, for arms that start from none.

    Initializers that draw weights stay. A language model stays as well, which no arm replaces.

    Args:
        model: The config, its backbone replaced.
        arm: Which transfer arm; None for what is no arm and starts from random weights.
        place: Key of the model in the config.

    Returns:
        What was taken out; of arms that take weights, what stays in.

    Raises:
        UserError: The model learns from a trained teacher, and the arm is one that starts from
            random weights.
    """
    changes = []
    for key, node, name in list(_sources(model, place)):
        before = _file(node[name])
        if (arm is not None and arm.takes_weights) or _LANGUAGE in key:
            changes.append(Change(key, before, before, 'which stays as the config has it'))
        elif arm is not None and name in TEACHERS:
            raise UserError(
                f'The detector learns from a trained one, {key}={before!r}: arm {arm.name} starts '
                f'from random weights alone. Set {key}=None, or take another config.'
            )
        else:
            who = 'it' if arm is None else f'arm {arm.name}'
            changes.append(Change(key, before, None, f'{who} starts from random weights'))
            node[name] = _drawn(node[name])
    return changes


def sources_of(model: MutableMapping, place: str = 'model') -> list[str]:
    """Keys of all trained weights in a model's config."""
    return [key for key, _, _ in _sources(model, place)]


def _sources(node: Any, place: str) -> Iterator[tuple[str, MutableMapping, str]]:
    """Key of each, the dict that it stands in, and its name there."""
    if isinstance(node, (list, tuple)):
        for number, one in enumerate(node):
            yield from _sources(one, f'{place}[{number}]')
        return
    if not isinstance(node, MutableMapping):
        return
    for name, value in node.items():
        key = f'{place}.{name}'
        named = name in (*_FILES, *TEACHERS) or (name in _NAMED and isinstance(value, str))
        trained = name == 'init_cfg' and any(map(_is_trained, _listed(value)))
        if trained or (named and value):
            yield key, node, name
        elif name == _LANGUAGE and isinstance(value, MutableMapping) and value.get('name'):
            yield f'{key}.name', value, 'name'
        elif name != 'init_cfg':
            yield from _sources(value, key)


def _listed(init: Any) -> list:
    return list(init) if isinstance(init, (list, tuple)) else [init]


def _is_trained(init: Any) -> bool:
    if not isinstance(init, Mapping):
        return False
    # Transformers of mmdet read a file of theirs by themselves, whatever the type is.
    return bool(init.get('checkpoint')) or is_type(init, 'Pretrained', WEIGHT_INITIALIZERS)


def _drawn(value: Any) -> Any:
    """What is left without trained weights: initializers that draw."""
    if isinstance(value, bool):  # whether there are any
        return False
    if not isinstance(value, (list, tuple)):
        return None
    return [init for init in value if not _is_trained(init)] or None


def _file(value: Any) -> str:
    """The files of a source."""
    files = [one.get('checkpoint') for one in _listed(value) if _is_trained(one)]
    return ', '.join(map(str, files)) if files else str(value)
