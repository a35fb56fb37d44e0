"""The classification view of the shapes data set."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch

from rethink_det.datasets.shapes.build import CROPS, IMAGES, build_shapes
from rethink_det.datasets.shapes.outlines import CLASSES
from rethink_det.datasets.tensor import ImageTensorDataset, check_split
from rethink_det.errors import UserError
from rethink_det.registry import DATASETS


@DATASETS.register_module()
class ShapesCrops(ImageTensorDataset):
    """Crops of 32 x 32 pixels around one object, eight balanced classes.

    Args:
        data_root: The shapes folder; built on first use.
        split: 'train' or 'test'.
        seed: As in ``build_shapes``; all users of a folder must agree on it.
        crops: As ``seed``.
        images: As ``seed``.
        build: If False, a missing folder is an error instead.
        limit: Keep the first so many, class-balanced.

    Raises:
        UserError: Unknown split, missing or unreadable folder, or a folder of something else.
    """

    def __init__(
        self,
        data_root: str | Path,
        split: str = 'train',
        seed: int = 0,
        build: bool = True,
        crops: tuple[int, int] = CROPS,
        images: tuple[int, int] = IMAGES,
        limit: int | None = None,
    ) -> None:
        check_split(split)
        root = Path(data_root).expanduser()
        if not build and not root.is_dir():
            raise UserError(f'{root}: no such folder; set build=True to have it drawn')
        root = build_shapes(root, seed=seed, crops=crops, images=images)
        pixels, labels = _read(root / f'crops_{split}.npz')
        super().__init__(pixels, labels, CLASSES, limit=limit)


def _read(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = arrays['images'], arrays['labels']
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise UserError(
            f'{path}: not readable as the arrays images and labels ({error}); remove the '
            'shapes folder yourself, and it will be drawn again'
        ) from error
    return torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels)
