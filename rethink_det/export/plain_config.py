"""A detector's config without the types of this package, for mmdet alone."""

import ast
from collections.abc import Iterator, Mapping, MutableMapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config
from mmengine.model import BaseModel, revert_sync_batchnorm

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.building import every_output
from rethink_det.detection.datasets.coco_part import BY_NAME
from rethink_det.errors import UserError
from rethink_det.export.narrowing import narrowed_layers
from rethink_det.files import plain
from rethink_det.registered import SCOPE_KEY, build, in_full, is_type, registered, scope_of
from rethink_det.registry import DATASETS, MODELS, SCOPE
from rethink_det.transfer.adapted import Change
from rethink_det.transfer.pretrained import drop_pretrained

KEPT = (
    'default_scope',
    'model',
    'test_dataloader',
    'test_cfg',
    'test_evaluator',
    'tta_model',
    'tta_pipeline',
    'visualizer',
    'vis_backends',
)
"""What detects and evaluates; how a detector was trained stays behind."""

NARROWED, SSD = 'NarrowedModule', 'EvaluatedSSDHead'
"""Types of the written module: those that mmdet has not."""

_OWN = f'{SCOPE}.'
_STAGE = 'rethink_det.PrunedSharedHead'
_MMDET = 'mmdet.'
_BY_ORDER = 'its file has the classes in another order, by which mmdet would number them'


@dataclass(frozen=True)
class PlainConfig:
    """What mmdet alone can build.

    Attributes:
        values: Its keys, plain values all.
        changes: What is different from the config that trained the detector.
    """

    values: Mapping[str, Any]
    changes: tuple[Change, ...]

    def has(self, kind: str) -> bool:
        """Whether a part of it is of a type."""
        return any(part['type'] == kind for _, part in typed(self.values))


def plain_config(config: Config, detector: BaseModel) -> PlainConfig:
    """The part of a config that detects and evaluates, of mmdet's types.

    Args:
        config: That trained the detector, reading no file for its backbone's shape.
        detector: Built of it.

    Raises:
        UserError: It has a type of this package that mmdet has nothing for, or a value that is
            none of plain ones; names the key.
    """
    with scope_of(config, 'mmdet'):
        whole = in_full(deepcopy(config))
        values = {key: whole.to_dict()[key] for key in KEPT if key in whole}
        if 'test_dataloader' not in values:
            raise UserError('The config has no test_dataloader, by which mmdet reads pictures.')
        changes = drop_pretrained(values['model'], None)
        changes += _by_order(values)
        for place, part in typed(values):  # what is put in is looked at, too
            if isinstance(part['type'], str) and part['type'].startswith(_OWN):
                old = part['type']
                _replace(part, place, detector)
                changes.append(Change(f'{place}.type', old, part['type']))
    _without_scope(values, values.get('default_scope'))
    for key, value in values.items():
        _check_plain(value, key)
    return PlainConfig(values, tuple(changes))


def typed(node: Any, place: str = '') -> Iterator[tuple[str, MutableMapping]]:
    """All parts of a config that have a type, and their keys, the outer ones first."""
    if isinstance(node, MutableMapping):
        if 'type' in node:
            yield place, node
        for key, part in node.items():
            yield from typed(part, f'{place}.{key}' if place else str(key))
    elif isinstance(node, (list, tuple)):
        for number, part in enumerate(node):
            yield from typed(part, f'{place}.{number}')


def _replace(part: MutableMapping, place: str, detector: BaseModel) -> None:
    """Put what mmdet has in the place of a type of this package, in place."""
    kind = part['type'].removeprefix(_OWN)
    if kind in _DATA:
        _DATA[kind](part)
    elif place.startswith('model.') and kind == SSD:
        part['type'] = SSD
    elif place.startswith('model.') and (whole := _whole(part)) is not None:
        _narrow(part, whole, place, detector)
    else:
        raise UserError(
            f'{place}: {part["type"]} is of this package, and mmdet has nothing in its place. '
            'Take export --onnx, or set the key to a type of mmdet.'
        )


def _narrow(part: MutableMapping, whole: dict, place: str, detector: BaseModel) -> None:
    own = detector.get_submodule(place.removeprefix('model.'))
    built = revert_sync_batchnorm(build(MODELS, whole))
    is_stage = is_type(part, _STAGE)
    layers = narrowed_layers(built, own, place, same_class=not is_stage)
    part.clear()
    part.update({'type': NARROWED, 'whole': whole, 'layers': layers} if layers else whole)


def _whole(part: Mapping) -> dict[str, Any] | None:
    """The config of a module of mmdet that one of this package is a narrower one of."""
    settings = {key: value for key, value in part.items() if key not in _OF_THIS_PACKAGE}
    if is_type(part, 'rethink_det.NarrowedNeck'):
        return deepcopy(dict(part['neck']))
    if is_type(part, _STAGE):
        return _whole_stage(part)
    if not is_type(part, 'rethink_det.PrunedBackbone'):
        return _of_mmdet({**settings, 'type': part['type']})
    shape = PrunedArchitecture.load(part['architecture'])
    outputs = every_output(shape, settings)
    return _of_mmdet({**plain(shape.backbone), **settings, **outputs})


_OF_THIS_PACKAGE = ('type', 'architecture', 'init_cfg', SCOPE_KEY)


def _of_mmdet(config: dict[str, Any]) -> dict[str, Any] | None:
    """The same of the class that a type of this package builds; None where mmdet has none."""
    kind = config['type']
    while not kind.startswith(_MMDET):
        kind = getattr(registered(MODELS, kind), 'builds', None)
        if kind is None:
            return None
    return {**config, 'type': kind}


def _whole_stage(part: Mapping) -> dict[str, Any] | None:
    """mmdet's ``ResLayer``, which is one stage of a ResNet."""
    whole = _of_mmdet(plain(PrunedArchitecture.load(part['architecture']).backbone))
    if whole is None or not is_type(whole, 'mmdet.ResNet'):
        return None
    stage = part.get('stage', 3)
    return {
        'type': 'mmdet.ResLayer',
        'depth': whole['depth'],
        'stage': stage,
        'stride': part['strides'][stage],
        'dilation': part['dilations'][stage],
        'style': whole.get('style', 'pytorch'),
        'norm_cfg': part.get('norm_cfg') or whole.get('norm_cfg') or {'type': 'BN'},
        'norm_eval': part.get('norm_eval', True),
    }


def _shapes(part: MutableMapping) -> None:
    kind: Any = registered(DATASETS, part['type'])
    for key in ('seed', 'crops', 'images'):
        part.pop(key, None)
    part.update(type='CocoDataset', metainfo={**plain(kind.METAINFO), **part.get('metainfo', {})})


def _judged(part: MutableMapping) -> None:
    part['type'] = part['type'].removeprefix(_OWN)
    part.pop('backend', None)


def _by_name(part: MutableMapping) -> None:
    part['type'] = 'CocoDataset'


_DATA = {
    'ShapesCoco': _shapes,
    BY_NAME.removeprefix(_OWN): _by_name,
    'CocoMetric': _judged,
    'VOCMetric': _judged,
}
"""Data sets and metrics of this package, and what makes them mmdet's."""


def _by_order(values: MutableMapping) -> list[Change]:
    """Leave evaluators out where mmdet would take one class for another, in place."""
    data = values['test_dataloader'].get('dataset') or {}
    if not any(is_type(part, BY_NAME, DATASETS) for _, part in typed(data)):
        return []
    keys = [key for key in ('test_evaluator', 'test_cfg') if key in values]
    return [Change(key, values.pop(key)['type'], None, _BY_ORDER) for key in keys]


def _without_scope(node: Any, scope: str | None) -> None:
    """Leave out notes of the scope that counts anyway, in place."""
    if isinstance(node, MutableMapping):
        if node.get(SCOPE_KEY) in (scope, 'mmdet'):
            del node[SCOPE_KEY]
        for part in node.values():
            _without_scope(part, scope)
    elif isinstance(node, (list, tuple)):
        for part in node:
            _without_scope(part, scope)


def _check_plain(value: Any, place: str) -> None:
    try:
        same = ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError):
        same = False
    if same:
        return
    parts = value.items() if isinstance(value, Mapping) else enumerate(value)
    if not isinstance(value, (Mapping, list, tuple)):
        raise UserError(f'{place} is {value!r}, which no config file can say: name it by text.')
    for key, part in parts:
        _check_plain(part, f'{place}.{key}')
