"""Data sets: embedded shapes, CIFAR, ImageNet, folders of small images. No mmdet here."""

from rethink_det.datasets.cifar import CIFAR10, CIFAR100
from rethink_det.datasets.epoch_sampler import Draw, EpochSampler
from rethink_det.datasets.held_out import HeldOut
from rethink_det.datasets.image_folder import ImageFolder
from rethink_det.datasets.imagenet import ImageNet
from rethink_det.datasets.shapes import ShapesCrops, build_shapes
from rethink_det.datasets.tensor import Batch, ImageTensorDataset, batch_collate

__all__ = [
    'CIFAR10',
    'CIFAR100',
    'Batch',
    'Draw',
    'EpochSampler',
    'HeldOut',
    'ImageFolder',
    'ImageNet',
    'ImageTensorDataset',
    'ShapesCrops',
    'batch_collate',
    'build_shapes',
]
