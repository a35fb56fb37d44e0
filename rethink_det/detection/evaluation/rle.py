"""Run-length encoding of masks in the layout a model gives them, without turning them around."""

import numpy as np
from pycocotools import mask as mask_tools


def encode_masks(masks: np.ndarray, boxes: np.ndarray) -> list[dict]:
    """COCO's compressed RLE of masks, equal to what ``pycocotools.mask.encode`` gives.

    pycocotools walks over all pixels column by column, so that each mask is first copied into
    Fortran order, which takes most of the time. Here runs are found where a pixel differs from
    the one above it, row by row, and only around the mask's box.

    Args:
        masks: (count, height, width), bool or numbers, whose integer part is 0 outside.
        boxes: (count, 4), x1, y1, x2, y2 in pixels: where each mask is likely to be. One that
            goes beyond its box is encoded as well, but takes longer.

    Returns:
        list: a dict of ``size`` and ``counts`` (bytes) per mask.
    """
    count, height, width = masks.shape
    if not count:
        return []
    if masks.dtype != bool:
        masks = masks.astype(np.uint8).astype(bool)
    pixels = height * width
    begin = np.arange(count) * (pixels + 1)  # every mask has numbers of its own, its end included
    areas = _around(boxes, height, width)
    edges = [_edges(mask, *area) for mask, area in zip(masks, areas, strict=True)]
    starts = np.concatenate(edges) + np.repeat(begin, [len(part) for part in edges])
    starts = _without_pairs(np.sort(starts.astype(np.min_scalar_type(-count * (pixels + 1)))))
    starts = starts[starts % (pixels + 1) < pixels]
    borders = np.sort(np.concatenate((starts, begin, begin + pixels)), kind='stable')
    lengths = np.diff(borders)
    first = np.searchsorted(borders, begin)
    runs = [
        {'size': [height, width], 'counts': lengths[start : stop - 1]}
        for start, stop in zip(first, [*first[1:], len(borders)], strict=True)
    ]
    return mask_tools.frPyObjects(runs, height, width)


def _around(boxes: np.ndarray, height: int, width: int) -> list[list[int]]:
    """Left, top, right and bottom of the pixels that boxes touch, and of one more all around."""
    low = (np.nan_to_num(boxes[:, :2]).clip(0, (width, height)) - 1).clip(0).astype(int)
    high = np.ceil(np.nan_to_num(boxes[:, 2:])) + 1
    return np.hstack((low, high.clip(low, (width, height)).astype(int))).tolist()


def _edges(mask: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """Where a pixel differs from the one above, or the end of a column from what is outside.

    Positions in column-major order, of any order among themselves.
    """
    height, width = mask.shape
    framed = np.zeros((bottom - top + 2, right - left), bool)
    framed[1:-1] = mask[top:bottom, left:right]
    if np.count_nonzero(framed) != np.count_nonzero(mask):
        return _edges(mask, 0, 0, width, height)
    row, column = np.divmod((framed[1:] != framed[:-1]).ravel().nonzero()[0], right - left)
    return (column + left) * height + (row + top)


def _without_pairs(starts: np.ndarray) -> np.ndarray:
    """Sorted numbers without those that occur twice.

    What ends at the bottom of a column and starts at the top of the next is one run.
    """
    twice = np.flatnonzero(starts[1:] == starts[:-1])
    return np.delete(starts, np.concatenate((twice, twice + 1)))
