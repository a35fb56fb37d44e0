"""What a detector's data sets hold, in a few lines: classes, and how large boxes are."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from mmengine.config import Config

from rethink_det.detection.datasets.check_data import data_parts
from rethink_det.detection.datasets.part import Part
from rethink_det.registered import scope_of

SMALL, LARGE = 32, 96
"""Sides of a square in pixels below and from which COCO calls an area small and large."""
_SHOWN = 12


def data_report(config: Config, splits: Sequence[str] = ('train', 'val', 'test')) -> Iterator[str]:
    """Lines on each COCO and VOC data set of a config, two or three for each; each file once.

    Args:
        config: Of a detector whose data passed :func:`.check_data.check_data`.
        splits: Which dataloaders to look at.
    """
    seen = set()
    with scope_of(config, 'mmdet'):
        for split in splits:
            for part in data_parts(config, split):
                place = part.root / part.settings['ann_file']
                if place not in seen:
                    seen.add(place)
                    yield from _lines(part)


def _lines(part: Part) -> Iterator[str]:
    names, sides = part.objects()
    counts = Counter(name for name in names if name in part.classes)
    yield f'{part.key}: {len(part.pictures())} images, {len(names)} objects'
    yield f'  classes: {_counted(counts, part.classes)}'
    if len(sides):
        small, large = (sides < SMALL).sum(), (sides >= LARGE).sum()
        yield (
            f'  boxes: {small} small, {len(sides) - small - large} medium, {large} large; sides '
            f'of {sides.min():.0f} to {sides.max():.0f} pixels, half below {np.median(sides):.0f}'
        )


def _counted(counts: Mapping[str, int], classes: Sequence[str]) -> str:
    """The most frequent classes, and the rarest."""
    ranked = sorted(classes, key=lambda name: -counts.get(name, 0))
    shown = ranked if len(ranked) <= _SHOWN else [*ranked[: _SHOWN - 3], *ranked[-3:]]
    told = [f'{name} {counts.get(name, 0)}' for name in shown]
    if len(ranked) > _SHOWN:
        told.insert(_SHOWN - 3, f'... {len(ranked) - _SHOWN} more ...')
    return ', '.join(told)
