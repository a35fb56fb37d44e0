"""Whose metrics a detector with another backbone is judged by."""

import pytest
from mmengine.config import Config

from rethink_det.detection.evaluation.evaluators import set_evaluators
from rethink_det.transfer.adapted import Change


def changed(**evaluators):
    """What becomes of them, and what is different."""
    config = Config(evaluators)
    return config, set_evaluators(config)


@pytest.mark.parametrize('kind', ['CocoMetric', 'VOCMetric'])
def test_mmdets_metrics_are_evaluated_by_ours(kind):
    config, changes = changed(val_evaluator=dict(type=kind, metric='mAP'), test_evaluator=None)
    assert config.val_evaluator == dict(type=f'rethink_det.{kind}', metric='mAP')
    assert config.test_evaluator is None
    same = 'with the same numbers'
    assert changes == [Change('val_evaluator.type', kind, f'rethink_det.{kind}', same)]


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
    config, changes = changed(val_evaluator=metric)
    assert config.val_evaluator == metric and not changes


def test_of_several_each_is_looked_at():
    other = dict(type='CocoPanopticMetric')
    config, changes = changed(test_evaluator=[dict(type='CocoMetric'), other])
    assert config.test_evaluator == [dict(type='rethink_det.CocoMetric'), other]
    assert [change.place for change in changes] == ['test_evaluator.0.type']
