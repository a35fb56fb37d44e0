"""The shipped configs on tiny data: two training steps and an evaluation of a few images.

Everything that a config says about its network, recipe and hooks stays. What changes:

* Where the data lies, how many images there are, and how many go into a training batch.
* Crops of ImageNet are 64 x 64 instead of 224 x 224, and images of COCO and VOC shrink to 48 x 32
  instead of 1333 x 800 and 1000 x 600: these networks take images of any size. Small ones have
  few proposals, of which the head of a detector would otherwise take a thousand, which is most of
  its time.
* One epoch, and the second of its two steps is the end of the warm-up. Hooks that act between
  two epochs of a long training do so within it.
* ImageNet weights come from a file instead of a download.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config

from rethink_det.datasets.shapes import build_shapes
from tests.cifar_files import store
from tests.detection.datasets.voc_devkit import write_devkit
from tests.tiny_data import write_coco, write_image_folder, write_imagenet, write_weights

STEPS = 2
SIDE = 64
SCALE = (48, 32)
SHAPES = dict(crops=(16, 8), images=(4, 2))


class Kind(NamedTuple):
    """A type of data set: how it is written, and what it and its loaders are told."""

    write: Callable[[Path], object]
    batch: int
    dataset: Mapping = {}
    train: Mapping = {}
    val: Mapping = {}


KINDS = {
    'rethink_det.CIFAR10': Kind(lambda root: store(root, 'cifar10-python', True, count=2), 5),
    'rethink_det.CIFAR100': Kind(lambda root: store(root, 'cifar100-python', True, count=10), 5),
    'rethink_det.ImageFolder': Kind(write_image_folder, 5),
    'rethink_det.ImageNet': Kind(
        write_imagenet,
        2,
        dict(size=SIDE, resize=SIDE + 8),
        train=dict(num_batch_per_epoch=STEPS),
        val=dict(batch_size=2, num_batch_per_epoch=1),
    ),
    'rethink_det.ShapesCrops': Kind(lambda root: build_shapes(root, **SHAPES), 8, SHAPES),
    'rethink_det.ShapesCoco': Kind(lambda root: build_shapes(root, **SHAPES), 2, SHAPES),
    'rethink_det.ShapesSegmentation': Kind(lambda root: build_shapes(root, **SHAPES), 2, SHAPES),
    'CocoDataset': Kind(write_coco, 2),
    'VOCDataset': Kind(write_devkit, 6),
}
LARGE = ((1333, 800), (1000, 600))
"""What detectors resize their images to."""


def shrink(config: Config, data: Path) -> Config:
    """The config on tiny data in the folder ``data``, where it is written if it is not there."""
    for split in ('train', 'val', 'test'):
        _shrink_data(config, split, data)
    if config.train_dataloader.dataset.type == 'rethink_det.ImageNet':
        config.model.input_shape = (3, SIDE, SIDE)
    config.train_cfg.update(max_epochs=1, val_interval=1)
    for schedule in config.param_scheduler:
        if schedule.get('by_epoch') is False:
            schedule.end = STEPS
    for hook in config.get('custom_hooks', ()):
        if 'end' in hook:
            hook.update(begin=0, end=1, interval=STEPS)
    _bring_weights(config.model.backbone, data)
    return config


def _shrink_data(config: Config, split: str, data: Path) -> None:
    """Two batches of training images; one worker where the config has any."""
    loader = config[f'{split}_dataloader']
    dataset = loader.dataset
    while dataset.get('dataset'):  # repeated
        dataset = dataset.dataset
    kind = KINDS[dataset.type]  # A new data set? Say above how a tiny one is written.
    root = data / dataset.type
    if not root.exists():
        kind.write(root)
    loader.update({**kind.train, 'batch_size': kind.batch} if split == 'train' else kind.val)
    loader.num_workers = min(loader.num_workers, 1)
    dataset.update(kind.dataset, data_root=f'{root}/')
    if 'limit' in dataset:
        dataset.limit = None
    for step in dataset.get('pipeline', ()):
        if step.get('scale') in LARGE:
            step.scale = SCALE
    if split != 'train' and 'ann_file' in config[f'{split}_evaluator']:
        config[f'{split}_evaluator'].ann_file = str(root / dataset.ann_file)


def _bring_weights(backbone: dict, data: Path) -> None:
    """A file for what the backbone would download."""
    init = backbone.get('init_cfg') or {}
    if str(init.get('checkpoint')).startswith('torchvision://'):
        file = data / f'{init.checkpoint.removeprefix("torchvision://")}.pth'
        if not file.exists():
            write_weights(file)
        init.checkpoint = str(file)
