"""Two detectors told apart, or not, by the predictions they have saved."""

import json
import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from rethink_det.datasets.shapes import build_shapes
from rethink_det.detection.evaluation.coco_metric import CocoMetric
from rethink_det.detection.evaluation.saved_predictions import saved_predictions
from rethink_det.errors import UserError
from rethink_det.report.paired_bootstrap import paired_bootstrap

BOXES, MASKS = 'coco/bbox_mAP', 'coco/segm_mAP'


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    """Annotations of the embedded shapes, 60 images."""
    root = build_shapes(tmp_path_factory.mktemp('data') / 'shapes', crops=(8, 8), images=(8, 60))
    return root / 'annotations' / 'instances_val.json'


@pytest.fixture
def tiny_coco():
    shared = os.environ.get('RETHINK_DET_SHARED', Path(__file__).parents[4] / 'shared')
    path = Path(shared) / 'data/tiny_coco/annotations/instances_val2017.json'
    if not path.is_file():
        pytest.skip(f'{path} is not here')
    return path


@pytest.fixture
def detector(tmp_path):
    """Saves what a detector found that misplaces objects by so much, and misses some."""

    def save(truth, noise, seed, masks=False, missed=0.2):
        rng, api = np.random.default_rng(seed), COCO(str(truth))
        found = []
        for one in api.anns.values():
            if rng.random() < missed:
                continue
            side = np.tile(one['bbox'][2:], 2)
            box = np.array(one['bbox']) + rng.normal(0, noise, 4) * side
            box[2:] = box[2:].clip(1)
            place = dict(image_id=one['image_id'], category_id=one['category_id'])
            found.append(dict(place, bbox=box.tolist(), score=float(rng.random())))
            if masks:
                rle = api.annToRLE(one)
                counts = rle['counts']
                text = counts.decode() if isinstance(counts, bytes) else counts
                found[-1]['segmentation'] = {'size': rle['size'], 'counts': text}
        path = tmp_path / f'{seed}.{"segm" if masks else "bbox"}.json'
        path.write_text(json.dumps(found))
        return path

    return save


@pytest.mark.parametrize('data', ['shapes', 'tiny_coco'])
def test_a_better_detector_is_told_apart_and_those_like_it_hardly_ever(request, detector, data):
    """Of pairs that are alike in truth few are told apart: more than 5 % where, as in tiny_coco,
    a third of the classes are in a single image each.
    """
    truth = request.getfixturevalue(data)
    like = [saved_predictions(truth, detector(truth, 0.04, seed)) for seed in range(4)]
    bad = saved_predictions(truth, detector(truth, 0.12, 9))
    for one in like:
        found = paired_bootstrap(one, bad, BOXES)
        assert found.told_apart and found.difference > 0.1
    assert found.test_images == len(json.loads(truth.read_text())['images'])
    pairs = [paired_bootstrap(*pair, BOXES).told_apart for pair in combinations(like, 2)]
    assert sum(pairs) <= 2, 'of 6'


def test_masks_are_judged_where_there_are_some(shapes, detector):
    whole, less = (
        saved_predictions(shapes, detector(shapes, 0.1, seed, masks=True, missed=missed))
        for seed, missed in ((1, 0.1), (2, 0.4))
    )
    assert set(whole.metrics) == {MASKS} and 0.8 < whole.metrics[MASKS] <= 0.92
    found = paired_bootstrap(whole, less, MASKS)
    assert found.told_apart and found.difference == pytest.approx(0.3, abs=0.1)


def test_it_is_what_the_metric_of_a_run_says(shapes, detector):
    """Same value, same test set, same draws: a run and a file can be compared."""
    path = detector(shapes, 0.05, 1)
    truth, found = json.loads(shapes.read_text()), json.loads(path.read_text())
    metric = CocoMetric(ann_file=str(shapes), metric='bbox')
    names = [one['name'] for one in truth['categories']]
    metric.dataset_meta, metric.keep_images = dict(classes=names), True
    label = {one['id']: i for i, one in enumerate(truth['categories'])}
    for image in truth['images']:
        own = [one for one in found if one['image_id'] == image['id']]
        box = np.array([one['bbox'] for one in own]).reshape(-1, 4)
        box[:, 2:] += box[:, :2]
        metric.results.append(
            (
                dict(width=image['width'], height=image['height'], img_id=image['id']),
                dict(
                    img_id=image['id'],
                    bboxes=box,
                    scores=np.array([one['score'] for one in own]),
                    labels=np.array([label[one['category_id']] for one in own], int),
                ),
            )
        )
    value = metric.evaluate(len(truth['images']))[BOXES]
    saved, of_run = saved_predictions(shapes, path), metric.image_replicates()
    assert round(saved.metrics[BOXES], 3) == value
    assert saved.test_digest == of_run.test_digest
    np.testing.assert_allclose(saved.replicates[BOXES], of_run.replicates[BOXES], atol=2e-6)


def test_a_detector_that_found_nothing_has_an_ap(shapes, tmp_path):
    (tmp_path / 'none.json').write_text('[]')
    assert saved_predictions(shapes, tmp_path / 'none.json').metrics == {BOXES: 0}


RIGHT = dict(image_id=1, category_id=1, score=0.5, bbox=[0, 0, 9, 9])


@pytest.mark.parametrize(
    'content, said',
    [
        ('{', 'cannot be read: JSONDecodeError'),
        ('{}', 'holds no list of predictions'),
        ('[1]', 'holds no list of predictions'),
        (json.dumps([{**RIGHT, 'image_id': 999}]), 'image 999 is not among the 60 of the anno'),
        (json.dumps([{**RIGHT, 'image_id': '1'}]), "image '1' is not among the 60 of the anno"),
        (json.dumps([{**RIGHT, 'category_id': 99}]), 'category 99 is not among the'),
        ('[{"image_id": 1, "category_id": 1, "score": NaN, "bbox": [0, 0, 9, 9]}]', 'not finite'),
        (json.dumps([dict(image_id=1, category_id=1)]), 'a prediction has no score'),
        (json.dumps([dict(image_id=1, category_id=1, score=1)]), 'no predictions in COCO format'),
        (json.dumps([{**RIGHT, 'bbox': 'here'}]), 'no predictions in COCO format'),
    ],
)
def test_a_file_that_holds_no_predictions_is_refused_by_name(shapes, tmp_path, content, said):
    path = tmp_path / 'found.json'
    path.write_text(content)
    with pytest.raises(UserError, match=said) as refused:
        saved_predictions(shapes, path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_is_refused(shapes, tmp_path):
    with pytest.raises(UserError, match='gone.json cannot be read'):
        saved_predictions(shapes, tmp_path / 'gone.json')
    with pytest.raises(UserError, match='is no COCO annotation file'):
        (tmp_path / 'empty.json').write_text('{}')
        saved_predictions(tmp_path / 'empty.json', tmp_path / 'empty.json')
