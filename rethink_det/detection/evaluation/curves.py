"""Precision against recall, and AP by class, from what the evaluators have computed anyway.

A curve gives the precision at 101 recalls, 0.00 to 1.00, as COCO interpolates it: the best that
is reached at this recall or a higher one. Its mean is the AP.

Source: pycocotools' ``cocoeval.py`` (``accumulate``); VOC: Everingham et al., section 4.2.
"""

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rethink_det.errors import in_one_line

RECALLS = np.linspace(0, 1, 101)
DIGITS = 4
USUAL = 100
"""Detections an image that COCO's AP counts."""
APART = ('0.50', '0.75')
"""IoU thresholds that are shown by themselves."""

Curves = dict[str, Any]
"""``precision``: by IoU threshold (``'0.50'``, ``'0.50:0.95'``) 101 numbers, means over classes;
``classes``: a dict of ``name``, ``AP`` and, where evaluated, ``AP50`` and ``AP75`` per class, None
for classes without an object."""

UNMEASURED = 'unmeasured'
"""In place of curves that could not be had: under this key the reason."""


def kept(compute: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """What ``compute`` gives, curves by metric; if it fails, ``{UNMEASURED: reason}``.

    An evaluation, and the training before it, is not lost for its curves.
    """
    try:
        return dict(compute())
    except Exception as error:
        traceback.print_exc()
        return {UNMEASURED: in_one_line(error)}


def coco_curves(evaluator: Any) -> Curves | None:
    """What a COCOeval that has accumulated says; None if it does not tell classes apart.

    Args:
        evaluator: pycocotools' ``COCOeval`` or one derived from it.
    """
    settings = evaluator.params
    if not settings.useCats or not evaluator.eval:
        return None
    most = list(settings.maxDets)
    area = list(settings.areaRngLbl).index('all')
    # (IoU thresholds, recalls, classes), -1 for classes without an object.
    found = evaluator.eval['precision'][..., area, most.index(USUAL) if USUAL in most else -1]
    names = [evaluator.cocoGt.cats[number]['name'] for number in settings.catIds]
    precision = np.where(found < 0, np.nan, found)
    return _curves(precision, precision.mean(1), settings.iouThrs, names)


def voc_curves(
    found: Iterable[tuple[float, Sequence[Mapping]]], names: Sequence[str]
) -> Curves | None:
    """The same of what mmdet's ``eval_map`` gives; None if it was asked by scales.

    Args:
        found: IoU threshold, and per class ``num_gts``, ``ap``, and the ``recall`` and
            ``precision`` of its detections, the surest first.
        names: Of the classes.
    """
    found = list(found)
    if not found or any(np.ndim(one['num_gts']) for _, classes in found for one in classes):
        return None
    precision = [np.stack([_interpolated(one) for one in classes], 1) for _, classes in found]
    scores = [[one['ap'] if one['num_gts'] else np.nan for one in c] for _, c in found]
    return _curves(np.stack(precision), np.array(scores), [iou for iou, _ in found], names)


def _interpolated(found: Mapping) -> np.ndarray:
    """The best precision at each of the recalls or beyond; 0 where it is never reached."""
    if not found['num_gts']:
        return np.full(len(RECALLS), np.nan)
    best = np.maximum.accumulate(found['precision'][::-1])[::-1]
    places = np.searchsorted(found['recall'], RECALLS, side='left')
    return np.append(best, 0.0)[places]


def _curves(
    precision: np.ndarray, scores: np.ndarray, ious: Sequence[float], names: Sequence[str]
) -> Curves:
    """Put together.

    Args:
        precision: (IoU thresholds, recalls, classes), NaN for classes without an object.
        scores: AP, (IoU thresholds, classes), NaN as well.
        ious: The thresholds.
        names: Of the classes.
    """
    there = ~np.isnan(scores).all(0)
    means = precision[..., there].sum(-1) / max(1, there.sum())
    shown = {f'{iou:.2f}': i for i, iou in enumerate(ious) if f'{iou:.2f}' in APART}
    curves = {iou: means[i] for iou, i in shown.items()}
    if len(ious) > 1:
        curves[f'{ious[0]:.2f}:{ious[-1]:.2f}'] = means.mean(0)
    by_class = {'AP': scores.mean(0), **{f'AP{iou[2:]}': scores[i] for iou, i in shown.items()}}
    return {
        'precision': {iou: np.round(curve, DIGITS).tolist() for iou, curve in curves.items()},
        'classes': [
            {'name': name, **{key: _number(values[i]) for key, values in by_class.items()}}
            for i, name in enumerate(names)
        ],
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), DIGITS)
