"""Precision-recall curves and AP by class: counted by hand, and equal to the metrics' own AP."""

import json

import numpy as np
import pytest
import torch

from rethink_det.detection.evaluation.curves import UNMEASURED, kept
from rethink_det.registry import METRICS
from tests.detection.evaluation.counted import BOTH, CAT, CATS, CLASSES, DOG, FOUND


def square(box):
    """The corners of a box as COCO's polygon."""
    x1, y1, x2, y2 = box
    return [[x1, y1, x2, y1, x2, y2, x1, y2]]


@pytest.fixture
def ann_file(tmp_path):
    objects = [(box, 1) for box in CATS] + [(DOG, 2)]
    annotations = [
        dict(
            id=i + 1, image_id=0, category_id=category, iscrowd=0, segmentation=square(box),
            bbox=[*box[:2], box[2] - box[0], box[3] - box[1]],
            area=(box[2] - box[0]) * (box[3] - box[1]),
        )
        for i, (box, category) in enumerate(objects)
    ]  # fmt: skip
    path = tmp_path / 'truth.json'
    content = dict(
        images=[dict(id=0, width=200, height=200, file_name='0.jpg')],
        categories=[dict(id=i + 1, name=name) for i, name in enumerate(CLASSES)],
        annotations=annotations,
    )
    path.write_text(json.dumps(content))
    return str(path)


def coco_metric(ann_file, found=FOUND, **options):
    """The metric after an evaluation, and what it gave."""
    settings = dict(type='rethink_det.CocoMetric', ann_file=ann_file, metric='bbox')
    metric = METRICS.build(settings | options)
    metric.dataset_meta = dict(classes=CLASSES)
    masks = torch.zeros(len(found), 200, 200, dtype=torch.bool)
    for mask, (box, _, _) in zip(masks, found, strict=True):
        x1, y1, x2, y2 = map(int, box)
        mask[y1:y2, x1:x2] = True
    prediction = dict(
        bboxes=torch.tensor([box for box, _, _ in found]).reshape(-1, 4),
        labels=torch.tensor([label for _, label, _ in found], dtype=torch.long),
        scores=torch.tensor([score for _, _, score in found]),
        masks=masks,
    )
    metric.process({}, [dict(img_id=0, ori_shape=(200, 200), pred_instances=prediction)])
    return metric, metric.evaluate(1)


@pytest.mark.parametrize('backend', ['faster', 'pycocotools'])
def test_coco_curves_are_those_counted_by_hand(ann_file, backend):
    metric, numbers = coco_metric(ann_file, metric=['bbox', 'segm'], backend=backend)
    assert set(metric.curves) == {'bbox', 'segm'}
    for kind, curves in metric.curves.items():
        assert list(curves['precision']) == ['0.50', '0.75', '0.50:0.95']
        for curve in curves['precision'].values():
            np.testing.assert_allclose(curve, BOTH, atol=5e-5)
            assert np.mean(curve) == pytest.approx(numbers[f'coco/{kind}_mAP'], abs=6e-4)
        cat, dog, fish = curves['classes']
        assert cat['AP'] == cat['AP50'] == cat['AP75'] == pytest.approx(CAT.mean(), abs=5e-5)
        assert (dog['AP'], fish['AP']) == (0, None)


def test_nothing_found_is_a_curve_at_zero(ann_file):
    metric, _ = coco_metric(ann_file, found=[])
    assert set(metric.curves['bbox']['precision']['0.50']) == {0.0}


def test_proposals_do_not_take_the_place_of_boxes(ann_file):
    metric, _ = coco_metric(ann_file, metric=['bbox', 'proposal'])
    np.testing.assert_allclose(metric.curves['bbox']['precision']['0.50'], BOTH, atol=5e-5)


def test_classwise_tells_boxes_from_masks(ann_file):
    _, numbers = coco_metric(ann_file, metric=['bbox', 'segm'], classwise=True)
    assert numbers['coco/bbox_cat_precision'] == pytest.approx(CAT.mean(), abs=5e-4)
    assert numbers['coco/segm_dog_precision'] == 0
    _, alone = coco_metric(ann_file, classwise=True)
    assert alone['coco/cat_precision'] == numbers['coco/bbox_cat_precision']
    assert 'coco/bbox_cat_precision' not in alone


def broken(*_):
    raise RuntimeError('no memory\nfor it')


def test_an_evaluation_is_not_lost_for_its_curves(ann_file, monkeypatch):
    _, as_ever = coco_metric(ann_file)
    monkeypatch.setattr('rethink_det.detection.evaluation.coco_metric.coco_curves', broken)
    metric, values = coco_metric(ann_file)
    assert values == as_ever
    assert metric.curves == {UNMEASURED: 'RuntimeError: no memory'}


def test_a_user_who_ends_it_ends_it():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(interrupted)
