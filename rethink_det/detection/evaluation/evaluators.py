"""A detector is judged by this package's metrics: mmdet's numbers, by the faster way."""

from collections.abc import Mapping, Sequence

from mmengine.config import Config

from rethink_det.detection.transfer.in_channels import Say

OURS = ('CocoMetric', 'VOCMetric')
"""Metrics of mmdet that have a counterpart of that name here."""


def set_evaluators(config: Config, say: Say) -> None:
    """Let mmdet's COCO and VOC metrics be evaluated by this package's, in place.

    Their numbers are the same, and there are some also where nothing was detected, when mmdet has
    none at all. A metric that is named in full, ``mmdet.CocoMetric``, stays mmdet's, and so does
    one that is to be evaluated in several processes.

    Args:
        config: Config of a detector.
        say: Is told what changes.
    """
    for key in ('val_evaluator', 'test_evaluator'):
        evaluator = config.get(key)
        several = isinstance(evaluator, Sequence)
        new = [_ours(one) for one in evaluator] if several else evaluator and _ours(evaluator)
        if new != evaluator:
            config[key] = new
            say(f'{key}: evaluated by rethink_det, with the same numbers')


def _ours(metric: Mapping) -> Mapping:
    if metric.get('type') not in OURS or metric.get('use_mp_eval'):
        return metric
    return {**metric, 'type': f'rethink_det.{metric["type"]}'}
