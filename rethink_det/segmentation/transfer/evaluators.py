"""A segmenter is judged by this package's mIoU: mmsegmentation's number, with all its digits."""

from collections.abc import Mapping, Sequence

from mmengine.config import Config

from rethink_det.segmentation.mean_iou import NAME
from rethink_det.transfer.adapted import Change, difference
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
    changes: list[Change] = []
    for key in ('val_evaluator', 'test_evaluator'):
        old = dict(parts(config, key))
        new = {place: _ours(metric) for place, metric in old.items()}
        for place, metric in old.items():
            kinds = metric.get('type'), new[place].get('type')
            changes += difference(f'{place}.type', *kinds, 'with the same numbers, not rounded')
        if new != old:
            config[key] = [*new.values()] if isinstance(config[key], Sequence) else new[key]
    return changes


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
