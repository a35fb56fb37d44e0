"""The detection view of the shapes data set, as an ordinary COCO data set."""

from pathlib import Path
from typing import Any

from mmdet.datasets import CocoDataset

from rethink_det.datasets.shapes import CLASSES, CROPS, IMAGES, PALETTE, build_shapes
from rethink_det.registry import DATASETS


@DATASETS.register_module()
class ShapesCoco(CocoDataset):
    """mmdet's ``CocoDataset`` over a shapes folder that it builds on first use.

    Set ``ann_file='annotations/instances_train.json'`` and ``data_prefix=dict(img='train/')``
    (or ``val``), as for any COCO folder. Masks are RLE: load them with ``poly2mask=True``,
    mmdet's default.

    Args:
        data_root: The shapes folder.
        seed, crops, images: As in ``build_shapes``; all users of a folder must agree on them.
        kwargs: The arguments of ``CocoDataset``.

    Raises:
        UserError: The folder holds something else or cannot be written.
    """

    METAINFO = dict(classes=CLASSES, palette=PALETTE)

    def __init__(
        self,
        data_root: str | Path,
        seed: int = 0,
        crops: tuple[int, int] = CROPS,
        images: tuple[int, int] = IMAGES,
        **kwargs: Any,
    ) -> None:
        root = build_shapes(data_root, seed=seed, crops=crops, images=images)
        super().__init__(data_root=str(root), **kwargs)
