"""Whose metrics a detector with another backbone is judged by."""

import pytest
from mmengine.config import Config

from rethink_det.detection.evaluation.evaluators import set_evaluators


def changed(**evaluators):
    """What becomes of them, and whether it was said."""
    said = []
    config = Config(evaluators)
    set_evaluators(config, said.append)
    return config, said


@pytest.mark.parametrize('kind', ['CocoMetric', 'VOCMetric'])
def test_mmdets_metrics_are_evaluated_by_ours(kind):
    config, said = changed(val_evaluator=dict(type=kind, metric='mAP'), test_evaluator=None)
    assert config.val_evaluator == dict(type=f'rethink_det.{kind}', metric='mAP')
    assert config.test_evaluator is None
    assert said == ['val_evaluator: evaluated by rethink_det, with the same numbers']


@pytest.mark.parametrize(
    'metric',
    [
        dict(type='mmdet.CocoMetric'),
        dict(type='CocoMetric', use_mp_eval=True),
        dict(type='CityScapesMetric'),
        dict(type='rethink_det.CocoMetric', backend='pycocotools'),
    ],
)
def test_what_was_meant_otherwise_stays(metric):
    config, said = changed(val_evaluator=metric)
    assert config.val_evaluator == metric and not said


def test_of_several_each_is_looked_at():
    other = dict(type='CocoPanopticMetric')
    config, _ = changed(test_evaluator=[dict(type='CocoMetric'), other])
    assert config.test_evaluator == [dict(type='rethink_det.CocoMetric'), other]
