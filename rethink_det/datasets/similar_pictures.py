"""Pictures of two splits that are nearly the same: saved anew, resized, the next of a film."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from rethink_det.datasets.picture_files import spread

MOST = 500
"""Pictures of each split that are looked at."""
_SIDE = 16
_ALIKE = 0.99


def similar_pictures(first: Sequence[Path], second: Sequence[Path]) -> list[tuple[Path, Path]]:
    """The files of the first of which the second has a lookalike, each with it.

    Two pictures are alike if their thumbnails, 16 x 16 grey values, correlate by 0.99 or more: a
    copy that was compressed, resized, made darker or lighter does, a turned or cropped one does
    not. One of a single colour has no lookalike. A file that cannot be read is left to others.
    """
    thumbnails, others = (
        [(path, one) for path in paths if (one := _thumbnail(path)) is not None]
        for paths in (first, second)
    )
    if not thumbnails or not others:
        return []
    correlation = np.stack([one for _, one in thumbnails]) @ np.stack([one for _, one in others]).T
    best = correlation.argmax(1)
    return [
        (path, others[best[place]][0])
        for place, (path, _) in enumerate(thumbnails)
        if correlation[place, best[place]] >= _ALIKE
    ]


def lookalikes(held: Sequence[Path], train: Sequence[Path], split: str) -> Iterator[str]:
    """A line on pictures of a split that look like some that are trained on, if there are.

    Args:
        held: Pictures of the split; of more than :data:`MOST` as many are looked at.
        train: Those that are trained on; likewise.
        split: Its name.
    """
    looked, others = spread(held, MOST), spread(train, MOST)
    found = similar_pictures(looked, others)
    if found:
        one, other = found[0]
        yield (
            f'WARNING: of {len(looked)} of {len(held)} pictures of {split} {len(found)} look like '
            f'one of {len(others)} of {len(train)} that are trained on ({one} like {other}): what '
            f'{split} measures is perhaps also memory.'
        )


def _thumbnail(path: Path) -> np.ndarray | None:
    """Grey values of mean 0 and length 1, float64 (256,); None if all are the same."""
    try:
        with Image.open(path) as image:
            image.draft('L', (4 * _SIDE, 4 * _SIDE))
            small = image.convert('L').resize((_SIDE, _SIDE), Image.Resampling.BOX)
    except (OSError, SyntaxError, ValueError):
        return None
    values = np.asarray(small, float).ravel()
    values -= values.mean()
    length = np.linalg.norm(values)
    return values / length if length else None
