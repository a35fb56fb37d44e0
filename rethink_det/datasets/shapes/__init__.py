"""The embedded data set "shapes": geometric objects, one generator, two views.

Classification crops and detection images with exact masks of visible pixels, drawn by
this package: no download, and the same bytes for the same seed.
"""

from rethink_det.datasets.shapes.build import CROPS, IMAGES, build_shapes
from rethink_det.datasets.shapes.crops import ShapesCrops
from rethink_det.datasets.shapes.outlines import CLASSES, PALETTE
from rethink_det.datasets.shapes.scene import Picture, draw_crop, draw_picture

__all__ = [
    'CLASSES',
    'CROPS',
    'IMAGES',
    'PALETTE',
    'Picture',
    'ShapesCrops',
    'build_shapes',
    'draw_crop',
    'draw_picture',
]
