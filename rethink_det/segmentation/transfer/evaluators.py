"""A segmenter is judged by this package's mIoU: mmsegmentation's number, with all its digits."""

from collections.abc import Mapping

from mmengine.config import Config

from rethink_det.segmentation.mean_iou import NAME
from rethink_det.transfer.adapted import Change
from rethink_det.transfer.judging import replace_evaluators
from rethink_det.transfer.readers import parts

OURS = 'rethink_det.MeanIoU'
_THEIRS = 'IoUMetric'
_TAKEN = ('type', 'iou_metrics', 'ignore_index', 'collect_device', 'prefix')


def set_evaluators(config: Config) -> list[Change]:
    """Let mmsegmentation's mIoU be counted by this package, in place.

    One that is named in full, ``mmseg.IoUMetric``, stays, and so does one that is to tell more
    than mIoU, or to write files.

    Args:
        config: Config of a segmenter.

    Returns:
        What changes.
    """
    return replace_evaluators(config, _ours, 'with the same numbers, not rounded')


def is_judged(config: Config) -> bool:
    """Whether a segmenter's config has its mIoU evaluated."""
    kinds = [str(one.get('type')).rpartition('.')[-1] for _, one in parts(config, 'val_evaluator')]
    return any(kind in (_THEIRS, OURS.rpartition('.')[-1]) for kind in kinds)


def _ours(metric: Mapping) -> Mapping:
    asked = metric.get('iou_metrics', [NAME])
    if metric.get('type') != _THEIRS or list(asked) != [NAME] or set(metric) - set(_TAKEN):
        return metric
    kept = {key: value for key, value in metric.items() if key not in ('type', 'iou_metrics')}
    return {'type': OURS, **kept}
