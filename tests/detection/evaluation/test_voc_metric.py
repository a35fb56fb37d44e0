"""VOC's metric: its curves, and mmdet as it was."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from rethink_det.detection.evaluation.curves import UNMEASURED, voc_curves
from rethink_det.detection.evaluation.voc_metric import mmdet_module
from rethink_det.registry import METRICS
from tests.detection.evaluation.counted import BOTH, CATS, CLASSES, DOG, FOUND


def voc_metric(ious=0.5, **options):
    """The same case for VOC's metric."""
    metric = METRICS.build(dict(type='rethink_det.VOCMetric', iou_thrs=ious, **options))
    metric.dataset_meta = dict(classes=CLASSES)
    nothing = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
    truth = InstanceData(bboxes=torch.tensor([*CATS, DOG]), labels=torch.tensor([0, 0, 1]))
    boxes, labels, scores = zip(*FOUND, strict=True)
    found = InstanceData(
        bboxes=torch.tensor(boxes), labels=torch.tensor(labels), scores=torch.tensor(scores)
    )
    sample = dict(gt_instances=truth, ignored_instances=nothing, pred_instances=found)
    metric.process({}, [sample])
    return metric, metric.evaluate(1)


def test_voc_curves_are_those_counted_by_hand():
    metric, numbers = voc_metric([0.5, 0.75], eval_mode='area')
    curves = metric.curves['bbox']
    assert list(curves['precision']) == ['0.50', '0.75', '0.50:0.75']
    np.testing.assert_allclose(curves['precision']['0.50'], BOTH, atol=5e-5)
    cat, dog, fish = curves['classes']
    assert cat['AP'] == pytest.approx((1 + 2 / 3) / 2, abs=5e-5)
    assert (dog['AP'], fish['AP']) == (0, None)
    assert numbers['pascal_voc/mAP'] == pytest.approx((cat['AP'] + dog['AP']) / 2, abs=5e-4)


def test_voc_by_scales_or_of_recall_has_no_curves():
    assert voc_metric(metric='recall')[0].curves == {}
    scales = dict(num_gts=np.array([2, 0]), ap=np.zeros(2), recall=None, precision=None)
    assert voc_curves([(0.5, [scales])], ['cat']) is None


def test_an_evaluation_that_fails_leaves_mmdet_as_it_was(monkeypatch):
    before = mmdet_module.eval_map
    with pytest.raises(TypeError, match='no len'):
        voc_metric(scale_ranges=3)
    assert mmdet_module.eval_map is before


def broken(*_):
    raise RuntimeError('no memory\nfor it')


def test_nor_is_one_of_voc(monkeypatch):
    _, as_ever = voc_metric()
    monkeypatch.setattr('rethink_det.detection.evaluation.voc_metric.voc_curves', broken)
    metric, values = voc_metric()
    assert values == as_ever
    assert metric.curves == {UNMEASURED: 'RuntimeError: no memory'}
