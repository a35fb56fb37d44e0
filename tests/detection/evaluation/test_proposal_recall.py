"""Recall of proposals, by hand and against mmdet where mmdet can."""

import json

import numpy as np
import pytest
import torch
from mmdet.evaluation.functional import eval_recalls

from rethink_det.detection.evaluation.coco_metric import CocoMetric
from rethink_det.detection.evaluation.proposal_recall import proposal_recall

ONE, TWO = [0, 0, 10, 10], [20, 20, 30, 30]
HALF = [0, 0, 10, 5]


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def test_by_hand():
    objects = [boxes(ONE, TWO), boxes(ONE), boxes()]
    proposals = [boxes(TWO, HALF), boxes(HALF), boxes(ONE)]
    found = proposal_recall(objects, proposals, [1, 2], [0.5, 0.9])
    # The surest alone covers TWO, and half of the other ONE; two cover half of the first as well.
    np.testing.assert_allclose(found, [[2 / 3, 1 / 3], [1, 1 / 3]])


def test_where_images_have_equally_many_objects_it_is_mmdets():
    random = np.random.default_rng(0)
    corners = random.uniform(0, 50, (4, 5, 2)).astype(np.float32)
    objects = [np.concatenate([c, c + 20], 1) for c in corners]
    near = [one + random.normal(0, 4, one.shape).astype(np.float32) for one in objects]
    ours = proposal_recall(objects, near, [2, 5], [0.3, 0.5, 0.7])
    theirs = eval_recalls(objects, near, [2, 5], [0.3, 0.5, 0.7], logger='silent')
    np.testing.assert_allclose(ours, theirs)
    with pytest.raises(ValueError, match='inhomogeneous'):
        eval_recalls([objects[0], objects[1][:3]], near[:2], [2, 5], [0.3], logger='silent')


def test_without_objects_there_is_no_recall():
    assert np.isnan(proposal_recall([boxes()], [boxes(ONE)], [1], [0.5])).all()


def test_a_metric_of_images_of_different_numbers_of_objects(tmp_path):
    images = [dict(id=n, width=40, height=40, file_name=f'{n}.png') for n in (1, 2)]
    rows = [(1, [0, 0, 10, 10], 0), (1, [20, 20, 10, 10], 0), (2, [0, 0, 10, 10], 0),
            (2, [5, 5, 10, 10], 1)]  # fmt: skip
    annotations = [
        dict(id=n, image_id=image, category_id=1, bbox=box, area=100, iscrowd=crowd)
        for n, (image, box, crowd) in enumerate(rows, 1)
    ]
    truth = dict(images=images, annotations=annotations, categories=[dict(id=1, name='a')])
    file = tmp_path / 'truth.json'
    file.write_text(json.dumps(truth))
    metric = CocoMetric(ann_file=str(file), metric='proposal_fast', proposal_nums=(1, 10))
    metric.dataset_meta = dict(classes=('a',))
    for image, found in ((2, [ONE]), (1, [TWO, ONE])):
        instances = dict(
            bboxes=torch.tensor(found, dtype=torch.float32),
            scores=torch.ones(len(found)),
            labels=torch.zeros(len(found), dtype=torch.long),
        )
        sample = dict(img_id=image, ori_shape=(40, 40), pred_instances=instances)
        metric.process({}, [sample])
    assert metric.evaluate(2) == {'coco/AR@1': pytest.approx(2 / 3), 'coco/AR@10': 1.0}
