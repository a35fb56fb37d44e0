"""The segmentation view of the shapes data set: a map of class numbers for each picture."""

from pathlib import Path
from typing import Any

from mmseg.datasets import BaseSegDataset

from rethink_det.datasets.semantic_maps import semantic_maps
from rethink_det.datasets.shapes import CLASSES, CROPS, IMAGES, PALETTE, build_shapes
from rethink_det.registry import DATASETS

MAPS = 'semantic'
"""Folder of the maps in that of the data set."""
BACKGROUND = ('background', (0, 0, 0))


@DATASETS.register_module()
class ShapesSegmentation(BaseSegDataset):
    """mmsegmentation's ``BaseSegDataset`` over a shapes folder that it builds on first use.

    The classes are ``background`` and the eight shapes.

    Args:
        data_root: The shapes folder.
        split: ``'train'`` or ``'val'``.
        seed, crops, images: As in ``build_shapes``; all users of a folder must agree on them.
        kwargs: The arguments of ``BaseSegDataset``.

    Raises:
        UserError: The folder holds something else or cannot be written.
    """

    METAINFO = dict(
        classes=(BACKGROUND[0], *CLASSES), palette=[list(c) for c in (BACKGROUND[1], *PALETTE)]
    )

    def __init__(
        self,
        data_root: str | Path,
        split: str,
        seed: int = 0,
        crops: tuple[int, int] = CROPS,
        images: tuple[int, int] = IMAGES,
        **kwargs: Any,
    ) -> None:
        root = build_shapes(data_root, seed=seed, crops=crops, images=images)
        semantic_maps(root / 'annotations' / f'instances_{split}.json', root / MAPS / split)
        super().__init__(
            data_root=str(root),
            data_prefix=dict(img_path=split, seg_map_path=f'{MAPS}/{split}'),
            img_suffix='.png',
            **kwargs,
        )
