"""AP of a draw is pycocotools' own AP where the drawn images are really there that often."""

import contextlib
import io
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.cocoeval import COCOeval

from rethink_det.detection.evaluation.coco_api import CocoApi, FasterCocoApi
from rethink_det.detection.evaluation.coco_matches import class_matches
from rethink_det.detection.evaluation.curves import RECALLS
from rethink_det.detection.evaluation.detections import table_of_rows
from rethink_det.detection.evaluation.hotcoco_eval import HotCocoEval
from rethink_det.detection.evaluation.resampled_ap import (
    ClassMatches,
    reached_recalls,
    resampled_ap,
)
from rethink_det.errors import UserError

SIDE = 120
box = st.tuples(*[st.sampled_from([0, 8, 20, 40])] * 2, *[st.sampled_from([10, 36, 80])] * 2)
label = st.integers(0, 2)
truths = st.lists(st.tuples(box, label, st.sampled_from([0, 0, 0, 1])), max_size=4)
guesses = st.lists(st.tuples(box, label, st.integers(0, 3)), max_size=6)
scenes = st.lists(st.tuples(truths, guesses), min_size=1, max_size=5)


def dataset(scene, copies):
    """Annotations and detections with every image as often as it says, copies side by side.

    No two detections of an image have the same score, many of different images have.
    """
    images, annotations, detections = [], [], []
    for (objects, guessed), copy in zip(scene, copies, strict=True):
        for _ in range(copy):
            number = len(images)
            images.append(dict(id=number, width=SIDE, height=SIDE))
            for shape, kind, crowd in objects:
                area = dict(bbox=list(shape), area=shape[2] * shape[3], iscrowd=crowd)
                place = dict(id=len(annotations) + 1, image_id=number, category_id=kind)
                annotations.append(place | area)
            for rank, (shape, kind, _) in enumerate(sorted(guessed, key=lambda one: one[2])):
                score = (len(guessed) - rank) / 8
                place = dict(image_id=number, category_id=kind)
                detections.append(place | dict(bbox=list(shape), score=score))
    categories = [dict(id=i, name=str(i)) for i in range(3)]
    return dict(images=images, annotations=annotations, categories=categories), detections


def evaluated(kind, scene, copies):
    truth, detections = dataset(scene, copies)
    with contextlib.redirect_stdout(io.StringIO()):
        api = FasterCocoApi() if kind is HotCocoEval else CocoApi()
        api.dataset = truth
        api.createIndex()
        if kind is HotCocoEval:
            detections = [table_of_rows(detections, 'bbox')]
        found = api.loadRes(detections)
        evaluator = kind(api, found, 'bbox')
        evaluator.params.maxDets = [1, 10, 100]
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return evaluator


@pytest.mark.parametrize('kind', [COCOeval, HotCocoEval])
@given(scene=scenes, data=st.data())
def test_a_draw_is_worth_what_pycocotools_says_of_images_that_are_really_repeated(
    kind, scene, data
):
    classes = class_matches(evaluated(kind, scene, [1] * len(scene)))
    copies = data.draw(
        st.lists(st.integers(0, 3), min_size=len(scene), max_size=len(scene)).filter(any)
    )
    expected = evaluated(COCOeval, scene, copies).stats[0]
    counts = np.array(copies, float)[:, None]
    if expected < 0:
        with pytest.raises(UserError, match='object'):
            resampled_ap(classes, [counts])
    else:
        np.testing.assert_allclose(resampled_ap(classes, [counts]), expected, atol=1e-12)


@pytest.mark.parametrize('kind', [COCOeval, HotCocoEval])
@given(scene=scenes)
def test_every_image_once_is_the_ap_itself(kind, scene):
    evaluator = evaluated(kind, scene, [1] * len(scene))
    classes = class_matches(evaluator)
    if classes:
        found = resampled_ap(classes, [np.ones((len(scene), 1))])
        np.testing.assert_allclose(found, evaluator.stats[0], atol=1e-12)


def test_many_detections_of_an_image_count_as_in_coco():
    """The hundred surest; the only right one may be beyond."""
    shape, wrong = (0, 0, 80, 80), (40, 40, 10, 10)
    guessed = [(wrong, 0, rank) for rank in range(100)] + [(shape, 0, 200)]
    scene = [([(shape, 0, 0)], guessed), ([(shape, 0, 0)], [(shape, 0, 0)])]
    for kind in (COCOeval, HotCocoEval):
        expected = [evaluated(COCOeval, scene, copies).stats[0] for copies in ([2, 1], [0, 1])]
        classes = class_matches(evaluated(kind, scene, [1, 1]))
        found = resampled_ap(classes, [np.array([[2.0, 0], [1, 1]])])
        np.testing.assert_allclose(found, expected, atol=1e-12)


@settings(max_examples=200)
@given(objects=st.integers(1, 5000))
def test_a_recall_reaches_what_searching_says(objects):
    """Where a recall is meant to be 0.29, its last digit decides, as it does in pycocotools."""
    recall = np.arange(objects + 1) / objects
    np.testing.assert_array_equal(
        reached_recalls(recall), np.searchsorted(RECALLS, recall, 'right')
    )


def matches(seed, images=30, detections=200):
    rng = np.random.default_rng(seed)
    hits = rng.random((10, detections)) < np.linspace(0.6, 0.1, 10)[:, None]
    ignored = ~hits & (rng.random((10, detections)) < 0.05)
    places = rng.integers(images, size=detections)
    return ClassMatches(places, hits, ignored, np.full(images, 8.0))


@given(width=st.integers(1, 9), seed=st.integers(0, 99))
def test_how_many_draws_are_weighed_at_once_changes_nothing(width, seed):
    counts = np.random.default_rng(seed).multinomial(30, [1 / 30] * 30, size=9).T.astype(float)
    classes = [matches(seed), matches(seed + 1)]
    parts = [counts[:, i : i + width] for i in range(0, 9, width)]
    np.testing.assert_array_equal(resampled_ap(classes, parts), resampled_ap(classes, [counts]))


def test_a_class_that_is_not_drawn_is_left_out_of_the_mean():
    one = ClassMatches(np.array([0]), np.ones((10, 1), bool), np.zeros((10, 1), bool), np.eye(2)[0])
    none = ClassMatches(
        np.array([1]), np.zeros((10, 1), bool), np.ones((10, 1), bool), np.eye(2)[1]
    )
    counts = np.array([[1.0, 2, 0], [1, 0, 2]])
    np.testing.assert_allclose(resampled_ap([one, none], [counts]), [0.5, 1, 0])
    with pytest.raises(UserError, match='some draws have none'):
        resampled_ap([one], [counts])


def test_without_any_object_there_is_no_ap():
    with pytest.raises(UserError, match='the test images have no object'):
        resampled_ap([], [np.ones((2, 1))])


@pytest.mark.parametrize('change', [dict(useCats=0), dict(maxDets=[1, 10])])
def test_what_is_no_ap_of_coco_is_refused(change):
    evaluator = evaluated(COCOeval, [([((0, 0, 80, 80), 0, 0)], [])], [1])
    vars(evaluator.params).update(change)
    with pytest.raises(UserError, match='COCO defines AP by class and 100 detections'):
        class_matches(evaluator)


def test_copies_are_counted():
    """The helper of these tests does what it says."""
    truth, detections = dataset([([((0, 0, 8, 8), 1, 0)], [((0, 0, 8, 8), 1, 2)])] * 2, [2, 0])
    assert Counter(one['image_id'] for one in truth['annotations']) == {0: 1, 1: 1}
    assert [one['image_id'] for one in detections] == [0, 1]
