"""Builds the embedded data set "shapes" in a folder, once."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from rethink_det.datasets.atomic_folder import build_folder
from rethink_det.datasets.progress_bar import progress
from rethink_det.datasets.shapes.coco import write_coco
from rethink_det.datasets.shapes.outlines import CLASSES
from rethink_det.datasets.shapes.scene import CROP_SIZE, Picture, draw_crop, draw_picture
from rethink_det.errors import UserError

FORMAT_VERSION = 1
"""Raised whenever the same parameters would give other bytes."""

CARD = 'shapes.json'
CROPS = (6000, 1000)
"""Crops of the training and of the test split."""
IMAGES = (600, 150)
"""Images of the training and of the validation split."""


def build_shapes(
    root: str | Path,
    seed: int = 0,
    crops: tuple[int, int] = CROPS,
    images: tuple[int, int] = IMAGES,
) -> Path:
    """Draws the data set into ``root`` unless it is there already.

    The folder holds ``crops_train.npz`` and ``crops_test.npz`` (``images`` uint8
    (n, 32, 32, 3) RGB, ``labels`` int64 (n,)), an ordinary COCO folder
    (``annotations/instances_{train,val}.json``, ``train/*.png``, ``val/*.png``,
    128 x 128 pixels) and ``shapes.json``, which names the parameters. Item i of a split
    depends on the seed, the split and i alone: a smaller data set is the start of a
    larger one. It appears complete or not at all, and processes may build it together.

    Args:
        root: Folder to make or reuse.
        seed: Seed of everything, at least 0.
        crops: Number of classification crops for training and test; classes take turns.
        images: Number of detection images for training and validation.

    Returns:
        The folder.

    Raises:
        UserError: A parameter is out of range; the folder holds something else, or
            shapes of other parameters; it cannot be written.
    """
    root = Path(root).expanduser()
    card = _card(seed, crops, images)
    build_folder(root.resolve(), partial(_is_ready, root, card), partial(_fill, card=card))
    return root


def _card(seed: int, crops: tuple[int, int], images: tuple[int, int]) -> dict:
    """The content of ``shapes.json``: all that the bytes of the data set depend on."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise UserError(f'seed={seed!r}: expected a whole number of at least 0')
    for key, value in dict(crops=crops, images=images).items():
        numbers = value if isinstance(value, (tuple, list)) else ()
        if len(numbers) != 2 or not all(type(n) is int and n >= 1 for n in numbers):
            raise UserError(
                f'{key}={value!r}: expected two whole numbers of at least 1, '
                'for training and for test, such as (600, 150)'
            )
    return dict(
        format_version=FORMAT_VERSION,
        seed=seed,
        crops=list(crops),
        images=list(images),
        classes=list(CLASSES),
    )


def _is_ready(root: Path, card: dict) -> bool:
    """Whether root holds this very data set; a UserError if it holds anything else."""
    remedy = 'choose another data_root, or move the folder away yourself'
    if root.is_file():
        raise UserError(f'{root}: a file, where the shapes folder should be; {remedy}')
    if not root.is_dir() or not any(root.iterdir()):
        return False
    if not (root / CARD).is_file():
        raise UserError(f'{root}: not empty and without {CARD}, so not a shapes folder; {remedy}')
    try:
        found = json.loads((root / CARD).read_text(encoding='utf-8'))
    except ValueError as error:
        raise UserError(f'{root / CARD}: not readable as JSON ({error}); {remedy}') from error
    if found == card:
        return True
    found = found if isinstance(found, dict) else {}
    other = [f'{key}={found.get(key)!r}' for key in card if found.get(key) != card[key]]
    wanted = [f'{key}={card[key]!r}' for key in card if found.get(key) != card[key]]
    raise UserError(
        f'{root}: holds shapes with {", ".join(other)}, where {", ".join(wanted)} is asked for; '
        f'ask for the same, or {remedy}'
    )


def _fill(folder: Path, card: dict) -> None:
    streams = np.random.SeedSequence(card['seed']).spawn(4)
    for split, count, stream in zip(('train', 'test'), card['crops'], streams[:2], strict=True):
        labels = np.arange(count, dtype=np.int64) % len(CLASSES)
        images = np.empty((count, CROP_SIZE, CROP_SIZE, 3), dtype=np.uint8)
        for i, rng in enumerate(_generators(stream, count, f'Drawing {split} crops')):
            images[i] = draw_crop(rng, int(labels[i]))
        np.savez(folder / f'crops_{split}.npz', images=images, labels=labels)
    for split, count, stream in zip(('train', 'val'), card['images'], streams[2:], strict=True):
        write_coco(folder, split, _pictures(stream, count, f'Drawing {split} images'))
    (folder / CARD).write_text(json.dumps(card, indent=2) + '\n', encoding='utf-8')


def _pictures(stream: np.random.SeedSequence, count: int, what: str) -> Iterator[Picture]:
    return map(draw_picture, _generators(stream, count, what))


def _generators(
    stream: np.random.SeedSequence, count: int, what: str
) -> Iterator[np.random.Generator]:
    """One independent generator per item, with progress."""
    return map(np.random.default_rng, progress(stream.spawn(count), count, what))
