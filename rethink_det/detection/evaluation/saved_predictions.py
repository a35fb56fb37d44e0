"""A detector judged by the predictions that it has saved, to be told apart from another."""

import contextlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from rethink_det.detection.datasets.ids import is_id
from rethink_det.detection.evaluation.coco_api import FasterCocoApi
from rethink_det.detection.evaluation.coco_replicates import coco_replicates
from rethink_det.detection.evaluation.detections import table_of_rows
from rethink_det.detection.evaluation.hotcoco_eval import HotCocoEval
from rethink_det.errors import UserError, in_one_line

NEEDED = ('image_id', 'category_id', 'score')


@dataclass(frozen=True)
class SavedPredictions:
    """An evaluation, as :func:`~rethink_det.report.paired_bootstrap.paired_bootstrap` takes it.

    Attributes:
        metrics: ``coco/bbox_mAP`` or ``coco/segm_mAP``, 0..1, with all its digits.
        test_images: How many images it is of.
        test_digest: Digest of their annotations.
        replicates: The metric on test sets drawn from these images.
    """

    metrics: Mapping[str, float]
    test_images: int
    test_digest: str
    replicates: Mapping[str, tuple[float, ...]]


def saved_predictions(annotations: str | PathLike, predictions: str | PathLike) -> SavedPredictions:
    """Judge the predictions that a detector has left in a file, on all images and classes.

    Args:
        annotations: COCO annotation file.
        predictions: COCO result file, as mmdet's ``CocoMetric(outfile_prefix='out/a')`` writes it:
            ``out/a.bbox.json``, or ``out/a.segm.json``, whose masks are judged.

    Raises:
        UserError: A file cannot be read, is not of that format, or of other images.

    Example:
        >>> from rethink_det.detection.evaluation.saved_predictions import saved_predictions
        >>> from rethink_det.report.paired_bootstrap import paired_bootstrap
        >>> ours, theirs = (saved_predictions('val.json', f'{one}.bbox.json') for one in 'ab')
        >>> print(paired_bootstrap(ours, theirs, 'coco/bbox_mAP'))
        coco/bbox_mAP: 0.405 - 0.381 = +0.024, 95 % interval +0.013 to +0.035 over 5000 test ...
    """
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools tells of every step
        evaluator = _evaluated(_truth(Path(annotations)), Path(predictions))
    found = coco_replicates([evaluator])
    (metric,) = found.replicates
    return SavedPredictions({metric: float(evaluator.stats[0])}, **vars(found))


def _evaluated(truth: FasterCocoApi, path: Path) -> HotCocoEval:
    found = _predictions(path, truth)
    # Where there are both, pycocotools would take the area of the box for that of the mask.
    has_masks = bool(found) and 'segmentation' in found[0]
    kind, key = ('segm', 'segmentation') if has_masks else ('bbox', 'bbox')
    try:
        detections = truth.loadRes([table_of_rows(found, key)])
        evaluator = HotCocoEval(truth, detections, kind)
    except UserError as error:
        raise UserError(f'{path}: {error}') from None
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f'{path} holds no predictions in COCO format: {error!r}.') from error
    evaluator.evaluate()
    evaluator.accumulate()
    evaluator.summarize()
    return evaluator


def _truth(path: Path) -> FasterCocoApi:
    content = _json(path)
    if not isinstance(content, dict) or not {'images', 'annotations', 'categories'} <= {*content}:
        raise UserError(f'{path} is no COCO annotation file: it needs images and categories.')
    truth = FasterCocoApi()
    truth.source, truth.dataset = str(path), content
    truth.createIndex()
    return truth


def _predictions(path: Path, truth: FasterCocoApi) -> list[dict[str, Any]]:
    found = _json(path)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UserError(f'{path} holds no list of predictions, as COCO result files do.')
    known = {'image': truth.image_numbers, 'category': truth.category_numbers}
    for one in found:
        missing = [key for key in NEEDED if key not in one]
        if missing:
            raise UserError(f'{path}: a prediction has no {missing[0]}.')
        for kind, numbers in known.items():
            if not is_id(one[f'{kind}_id']) or one[f'{kind}_id'] not in numbers:
                raise UserError(
                    f'{path}: {kind} {one[f"{kind}_id"]!r} is not among the {len(numbers)} of the '
                    'annotations; give the annotation file that the detector was evaluated by.'
                )
    return found


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise UserError(f'{path} cannot be read: {in_one_line(error)}.') from error
