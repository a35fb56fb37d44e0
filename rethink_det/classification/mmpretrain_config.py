"""What a config of mmpretrain trains: its classifier as an architecture of this package.

The backbone is mmpretrain's own class under its own names, which are those of its published
checkpoints; the head is one of this package.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.backbone import configured_architecture
from rethink_det.errors import UserError
from rethink_det.packages import folder_of

PACKAGE = 'mmpretrain'
MODEL = 'ImageClassifier'
HEADS = ('LinearClsHead', 'VisionTransformerClsHead')
"""Heads that are one linear layer behind what backbone and neck give."""

NECKS = (None, 'GlobalAveragePooling')
"""Necks that do what the head of this package does itself."""

SIDE = 224
"""Of an image where neither the backbone nor the pipeline says another."""


def is_of_mmpretrain(config: Config) -> bool:
    """Whether a config's model is a classifier of mmpretrain."""
    kind = (config.get('model') or {}).get('type')
    bare = kind == MODEL and config.get('default_scope') == PACKAGE
    return bare or kind == f'{PACKAGE}.{MODEL}'


def config_of_mmpretrain(name: str) -> str:
    """A name as ``mmpretrain::resnet18_8xb32_in1k``, with the folder that the config is in.

    Raises:
        UserError: mmpretrain is not installed, or has no config of that name.
    """
    package, _, path = name.partition('::')
    if package != PACKAGE or '/' in path:
        return name
    folder = folder_of(PACKAGE, f'The base {name!r}') / '.mim' / 'configs'
    bare = path.removesuffix('.py')
    found = sorted(folder.glob(f'*/{bare}.py'))
    if not found:
        raise UserError(f'{PACKAGE} has no config {bare!r}; they are in {folder.name}/ of it.')
    return f'{PACKAGE}::{found[0].relative_to(folder)}'


def mmpretrain_architecture(config: Config, where: str) -> PrunedArchitecture:
    """The architecture that a config of mmpretrain trains.

    Args:
        config: With a model for which :func:`is_of_mmpretrain` holds.
        where: What messages call it.

    Raises:
        UserError: A neck or a head that has no counterpart here, or a backbone that cannot be
            built.
    """
    model = config.model
    neck, head = (model.get(part) or {} for part in ('neck', 'head'))
    kind, between = _bare(head.get('type')), _bare(neck.get('type'))
    hidden = ' with a hidden layer' if head.get('hidden_dim') else ''
    if kind not in HEADS or hidden or between not in NECKS:
        raise UserError(
            f'{where}: the neck {between} and the head {kind}{hidden} '
            f'have no counterpart here; those are {", ".join(HEADS)} of one layer, behind nothing '
            'or GlobalAveragePooling.'
        )
    backbone = {key: value for key, value in model.backbone.items() if key != 'init_cfg'}
    if '.' not in backbone['type']:
        backbone['type'] = f'{PACKAGE}.{backbone["type"]}'
    own = {'type': 'rethink_det.LinearHead', 'num_classes': head['num_classes']}
    return configured_architecture(backbone, own, (3, *_size(config)))


def _bare(kind: str | None) -> str | None:
    return kind and kind.rpartition('.')[2]


def _size(config: Config) -> tuple[int, int]:
    """Height and width of an image that is evaluated."""
    size = config.model.backbone.get('img_size')
    loaders = (config.get(f'{part}_dataloader') for part in ('test', 'val'))
    for step in _steps(loaders) if size is None else ():
        if _bare(step.get('type')) in ('CenterCrop', 'Resize'):
            size = step.get('crop_size') or step.get('scale') or size
    size = size or SIDE
    height, width = (size, size) if isinstance(size, int) else size
    return int(height), int(width)


def _steps(loaders: Iterator[Any]) -> Iterator[Mapping]:
    """The steps of the first pipeline that there is."""
    for loader in loaders:
        pipeline = ((loader or {}).get('dataset') or {}).get('pipeline')
        if pipeline:
            yield from pipeline
            return
