"""Our metric, by either backend, is mmdet's for all ids that mmdet can do, and right for others."""

import contextlib
import io
import json
import math
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_tools
from pycocotools.cocoeval import COCOeval

from rethink_det.detection.evaluation.coco_api import CocoApi, FasterCocoApi
from rethink_det.detection.evaluation.coco_matches import class_matches
from rethink_det.detection.evaluation.coco_metric import CocoMetric
from rethink_det.detection.evaluation.detections import table_of_rows
from rethink_det.detection.evaluation.hotcoco_eval import HotCocoEval
from rethink_det.errors import UserError
from rethink_det.registry import METRICS

SIDE, CLASSES = 130, ('cat', 'dog', 'fish')
# Of a number from 1 on, in an order that stays what it was.
WORK_IN_MMDET = {
    'from 1': lambda n: n,
    'negative': lambda n: n - 1000,
    'far apart': lambda n: n * 10**6,
    'fractions': lambda n: n + 0.5,
    'beyond 2^53': lambda n: 2**53 + n,
    'texts': lambda n: f'number {n:03}',
    'digits': lambda n: f'{n:03}',
}
WRONG_IN_MMDET = {
    'from 0': lambda n: n - 1,
    'around 0': lambda n: n - 3,
    'beyond 2^63': lambda n: 2**63 - 3 + n,
    'beyond 2^64': lambda n: 2**64 + n,
    'of all sorts': lambda n: [n - 1, n - 0.5, f'{n}'][min(2, n // 2)],
}
of_objects = {**WORK_IN_MMDET, 'texts': WORK_IN_MMDET['digits']}  # it computes with them
sides = st.sampled_from([8, 31, 32, 33, 95, 97, 120])
places = st.tuples(st.integers(0, 3), st.integers(0, 3), sides, sides)
labels = st.integers(0, len(CLASSES) - 1)
scores = st.sampled_from([0.0, 0.3, 0.3, 0.7, 1.0])
objects = st.tuples(places, labels, st.sampled_from([0, 0, 0, 1]), st.sampled_from([0.5, 0.9, 1]))
guesses = st.tuples(places, labels, scores)
image = st.tuples(st.lists(objects, max_size=5), st.lists(guesses, max_size=6))
scenes = st.lists(image, min_size=1, max_size=4)
seeds = st.integers(0, 99)
kinds = st.sampled_from([*WORK_IN_MMDET])


def shape(place):
    """Box and mask, which is the box but for its middle."""
    x, y, w, h = place
    mask = np.zeros((SIDE, SIDE), np.uint8, order='F')
    mask[y : y + h, x : x + w] = 1
    mask[y + h // 3 : y + h // 2, x + w // 3 : x + w // 2] = 0
    rle = mask_tools.encode(mask)
    return [*map(float, place)], {**rle, 'counts': rle['counts'].decode()}


def annotations(scene, of_images, of_categories, of_annotations, seed=None):
    """A COCO file; its lists in another order where there is a seed."""
    rows = []
    for number, (found, _) in enumerate(scene, 1):
        for place, label, crowd, share in found:
            box, mask = shape(place)
            mine = dict(image_id=of_images(number), category_id=of_categories(label + 1))
            area = dict(bbox=box, segmentation=mask, area=box[2] * box[3] * share, iscrowd=crowd)
            rows.append({'id': of_annotations(len(rows) + 1), **mine, **area})
    size = dict(width=SIDE, height=SIDE, file_name='')
    images = [dict(size, id=of_images(n)) for n in range(1, len(scene) + 1)]
    categories = [dict(id=of_categories(n), name=name) for n, name in enumerate(CLASSES, 1)]
    lists = dict(images=images, categories=categories, annotations=rows)
    if seed is not None:
        for part in lists.values():
            random.Random(seed).shuffle(part)
    return lists


def samples(scene, of_images, names):
    """What a metric is given, with masks; labels are places among the names."""
    found = []
    for number, (_, guessed) in enumerate(scene, 1):
        shapes = [shape(place) for place, _, _ in guessed]
        box = torch.tensor([box for box, _ in shapes]).reshape(-1, 4)
        box[:, 2:] += box[:, :2]
        instances = dict(
            bboxes=box,
            labels=torch.tensor([names.index(CLASSES[one[1]]) for one in guessed]).long(),
            scores=torch.tensor([one[2] for one in guessed]).float(),
            masks=[mask for _, mask in shapes],
        )
        size = dict(img_id=of_images(number), ori_shape=(SIDE, SIDE))
        found.append(dict(size, pred_instances=instances))
    return found


def judged(kind, file, found, names, **options):
    with contextlib.redirect_stdout(io.StringIO()):
        settings = dict(type=kind, ann_file=str(file), metric=['bbox', 'segm'], **options)
        metric = METRICS.build(settings)
        metric.dataset_meta = dict(classes=names)
        metric.process({}, found)
        return metric.evaluate(len(found))


OURS = [dict(kind='rethink_det.CocoMetric', backend=name) for name in ('faster', 'pycocotools')]


def by_all(scene, ids, seed, ways):
    """What each way says of a scene."""
    truth = annotations(scene, *ids, seed)
    names = tuple(one['name'] for one in truth['categories'])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'truth.json'
        file.write_text(json.dumps(truth))
        found = [judged(file=file, found=samples(scene, ids[0], names), names=names, **way)
                 for way in ways]  # fmt: skip
    return found


def check(scene, ids, seed):
    """The same by our backends and by mmdet, which says nothing of no predictions."""
    ours, slow, mmdet = by_all(scene, ids, seed, [*OURS, dict(kind='mmdet.CocoMetric')])
    assert ours == slow
    if any(guessed for _, guessed in scene):
        assert ours == mmdet
    else:
        assert not mmdet and set(ours.values()) <= {0.0, -1.0}
    assert len(ours) == 12


ids_of_mmdet = st.tuples(
    kinds.map(WORK_IN_MMDET.get), kinds.map(WORK_IN_MMDET.get), kinds.map(of_objects.get)
)


@given(scene=scenes, ids=ids_of_mmdet, seed=seeds)
def test_three_ways_are_equal(scene, ids, seed):
    check(scene, ids, seed)


@pytest.mark.slow
@settings(max_examples=300)
@given(scene=scenes, ids=ids_of_mmdet, seed=seeds)
def test_three_ways_are_equal_in_many_more_cases(scene, ids, seed):
    check(scene, ids, seed)


any_ids = st.sampled_from([*WORK_IN_MMDET.values(), *WRONG_IN_MMDET.values()])


@given(scene=scenes, ids=st.tuples(any_ids, any_ids, any_ids), seed=seeds)
def test_any_ids_are_as_good_as_those_from_1(scene, ids, seed):
    """Whatever mmdet makes of them: an object with the id 0 is found by nothing there."""
    plain = (WORK_IN_MMDET['from 1'],) * 3
    expected = by_all(scene, plain, seed, OURS[:1])
    assert by_all(scene, ids, seed, OURS) == expected * 2


def test_mmdet_never_finds_an_object_with_the_id_0():
    """What the test above is about is there."""
    scene = [([((0, 0, 95, 95), 0, 0, 1)], [((0, 0, 95, 95), 0, 1.0)])]
    ids = (WORK_IN_MMDET['from 1'], WORK_IN_MMDET['from 1'], WRONG_IN_MMDET['from 0'])
    ours, _, mmdet = by_all(scene, ids, None, [*OURS, dict(kind='mmdet.CocoMetric')])
    assert ours['coco/bbox_mAP'] == ours['coco/segm_mAP'] == 1
    assert mmdet['coco/bbox_mAP'] == 0


@given(scene=scenes, seed=seeds, masks=st.booleans())
def test_arrays_and_matches_are_pycocotools_to_the_last_bit(scene, seed, masks):
    plain = (WORK_IN_MMDET['from 1'],) * 3
    truth = annotations(scene, *plain, seed)
    key, kind = ('segmentation', 'segm') if masks else ('bbox', 'bbox')
    rows = []
    for number, (_, guessed) in enumerate(scene, 1):
        for place, label, score in guessed:
            box, mask = shape(place)
            mine = dict(image_id=number, category_id=label + 1, score=score)
            rows.append({**mine, key: mask if masks else box})
    ours, theirs = (
        evaluated(api, make, truth, found, kind)
        for api, make, found in (
            (FasterCocoApi(), HotCocoEval, [table_of_rows(rows, key)]),
            (CocoApi(), COCOeval, rows),
        )
    )
    for name in ('precision', 'recall', 'scores'):
        np.testing.assert_array_equal(ours.eval[name], theirs.eval[name])
    np.testing.assert_array_equal(ours.stats, theirs.stats)
    for one, other in zip(class_matches(ours), class_matches(theirs), strict=True):
        for name in ('images', 'hits', 'ignored', 'objects'):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def evaluated(api, make, truth, found, kind):
    with contextlib.redirect_stdout(io.StringIO()):
        api.dataset = truth
        api.createIndex()
        evaluator = make(api, api.loadRes(found), kind)
        evaluator.params.maxDets = [1, 3, 100]
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.params.maxDets = [1, 3, 100]
        evaluator.summarize()
    return evaluator


ONE = [([((0, 0, 95, 95), 0, 0, 1)], [((0, 0, 95, 95), 0, 1.0)])]
PLAIN = (WORK_IN_MMDET['from 1'],) * 3


@pytest.mark.parametrize('backend', ['faster', 'pycocotools'])
@pytest.mark.parametrize('kind', [*WORK_IN_MMDET, *WRONG_IN_MMDET])
def test_files_of_predictions_have_the_ids_of_the_annotations(tmp_path, kind, backend):
    called = {**WORK_IN_MMDET, **WRONG_IN_MMDET}[kind]
    truth = annotations(ONE, called, called, called)
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    found = samples(ONE, called, CLASSES)
    prefix = str(tmp_path / 'found')
    judged('rethink_det.CocoMetric', tmp_path / 'truth.json', found, CLASSES,
           outfile_prefix=prefix, backend=backend)  # fmt: skip
    for name in ('bbox', 'segm'):
        (row,) = json.loads(Path(f'{prefix}.{name}.json').read_text())
        assert (row['image_id'], row['category_id']) == (called(1), called(1))


@pytest.mark.parametrize('name', [None, True, math.nan, math.inf, [1], {}])
@pytest.mark.parametrize('part', ['images', 'categories'])
def test_what_is_no_id_is_refused(tmp_path, part, name):
    truth = annotations(ONE, *PLAIN)
    truth[part][0]['id'] = name
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    with pytest.raises(UserError, match=rf'truth.json: 1 of \d {part} have no id that can be used'):
        CocoMetric(ann_file=str(tmp_path / 'truth.json'))


@pytest.mark.parametrize('part', ['images', 'categories'])
def test_an_id_that_is_there_twice_is_refused(tmp_path, part):
    truth = annotations(ONE * 2, *PLAIN)
    truth[part][1]['id'] = truth[part][0]['id']
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    with pytest.raises(UserError, match=f'truth.json: several {part} have the id 1'):
        CocoMetric(ann_file=str(tmp_path / 'truth.json'))


@pytest.mark.parametrize(
    'key, value',
    [('area', None), ('area', '?'), ('bbox', [1, 2, 3]), ('bbox', [0, 0, math.nan, 1]),
     ('segmentation', []), ('iscrowd', 2), ('iscrowd', '0')],
)  # fmt: skip
def test_an_object_that_cannot_be_judged_is_refused_by_its_id(tmp_path, key, value):
    truth = annotations(ONE, *PLAIN[:2], WORK_IN_MMDET['texts'])
    truth['annotations'][0][key] = value
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    with pytest.raises(UserError, match=f"truth.json: annotation 'number 001' has {key}"):
        judged('rethink_det.CocoMetric', tmp_path / 'truth.json',
               samples(ONE, PLAIN[0], CLASSES), CLASSES)  # fmt: skip


@pytest.mark.parametrize('part, place', [('scores', 0), ('bboxes', (0, 2))])
def test_detections_that_are_not_finite_are_refused(tmp_path, part, place):
    (tmp_path / 'truth.json').write_text(json.dumps(annotations(ONE, *PLAIN)))
    found = samples(ONE, PLAIN[0], CLASSES)
    found[0]['pred_instances'][part][place] = math.nan
    with pytest.raises(UserError, match='1 of 1 detections .* not finite, the first is on image 1'):
        judged('rethink_det.CocoMetric', tmp_path / 'truth.json', found, CLASSES)


def test_classes_that_the_annotations_do_not_have_are_refused(tmp_path):
    (tmp_path / 'truth.json').write_text(json.dumps(annotations(ONE, *PLAIN)))
    found = samples(ONE, PLAIN[0], CLASSES)
    with pytest.raises(UserError, match='predictions of class number 0, but .* have 0 of the cla'):
        judged('rethink_det.CocoMetric', tmp_path / 'truth.json', found, ('cow',))
    found[0]['pred_instances']['labels'] += 5
    with pytest.raises(UserError, match='predictions of class number 5, but .* have 3 of the cla'):
        judged('rethink_det.CocoMetric', tmp_path / 'truth.json', found, CLASSES)


def test_nothing_that_was_run_is_nothing_to_judge(tmp_path):
    (tmp_path / 'truth.json').write_text(json.dumps(annotations(ONE, *PLAIN)))
    found = samples([([], [])], PLAIN[0], CLASSES)
    with pytest.raises(UserError, match='none of the classes: there is nothing to judge'):
        judged('rethink_det.CocoMetric', tmp_path / 'truth.json', found, ('cow',))


@pytest.mark.parametrize('key', ['image_id', 'category_id'])
def test_objects_of_what_is_not_listed_count_nowhere_as_in_mmdet(tmp_path, key, caplog):
    truth = annotations(ONE, *PLAIN)
    truth['annotations'].append({**truth['annotations'][0], 'id': 2, key: 77})
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    found = samples(ONE, PLAIN[0], CLASSES)
    values = [
        judged(file=tmp_path / 'truth.json', found=found, names=CLASSES, **way)
        for way in [*OURS, dict(kind='mmdet.CocoMetric')]
    ]
    assert values[0] == values[1] == values[2]
    assert values[0]['coco/bbox_mAP'] == 1
