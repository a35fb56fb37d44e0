"""Data sets: the embedded shapes, and folders of small images. No mmdet here."""

from rethink_det.datasets.image_folder import ImageFolder
from rethink_det.datasets.shapes import ShapesCrops, build_shapes
from rethink_det.datasets.tensor import Batch, ImageTensorDataset, batch_collate

__all__ = [
    'Batch',
    'ImageFolder',
    'ImageTensorDataset',
    'ShapesCrops',
    'batch_collate',
    'build_shapes',
]
