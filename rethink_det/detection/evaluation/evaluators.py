"""A detector is judged by this package's metrics: mmdet's numbers, by the faster way."""

from collections.abc import Mapping, Sequence

from mmengine.config import Config

from rethink_det.transfer.adapted import Change
from rethink_det.transfer.judging import replace_evaluators
from rethink_det.transfer.readers import parts

OURS = ('CocoMetric', 'VOCMetric')
"""Metrics of mmdet that have a counterpart of that name here."""

PROPOSALS = 'proposal_fast'
"""What mmdet's CocoMetric judges regions of an RPN by; no other evaluator of it is needed."""


def set_evaluators(config: Config) -> list[Change]:
    """Let mmdet's COCO and VOC metrics be evaluated by this package's, in place.

    Their numbers are the same, and there are some also where nothing was detected, when mmdet has
    none at all, and of proposals on images of different numbers of objects, which it cannot. A
    metric that is named in full, ``mmdet.CocoMetric``, stays mmdet's, and so does one that is to be
    evaluated in several processes.

    Args:
        config: Config of a detector.

    Returns:
        What changes.
    """
    return replace_evaluators(config, _ours, 'with the same numbers')


def metric_names(config: Config) -> list[str]:
    """Names under which a detector's config has its AP evaluated, ``coco/bbox_mAP``.

    Metrics of other packages have names that nobody knows here.
    """
    return [name for _, metric in parts(config, 'val_evaluator') for name in _names(metric)]


def _names(metric: Mapping) -> list[str]:
    kind = str(metric.get('type')).rpartition('.')[-1]
    if kind == 'VOCMetric':
        return ['pascal_voc/mAP']
    kinds = [one for one in _asked(metric) if one != PROPOSALS]
    return [f'coco/{one}_mAP' for one in kinds] if kind == 'CocoMetric' else []


def _asked(metric: Mapping) -> Sequence[str]:
    """The kinds of results that a metric judges."""
    asked = metric.get('metric', 'bbox')
    return [asked] if isinstance(asked, str) else asked


def _ours(metric: Mapping) -> Mapping:
    if metric.get('type') not in OURS or metric.get('use_mp_eval'):
        return metric
    return {**metric, 'type': f'rethink_det.{metric["type"]}'}
