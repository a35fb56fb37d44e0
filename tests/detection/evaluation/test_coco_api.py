"""Whatever the boxes and masks: every number is pycocotools', before any rounding."""

import contextlib
import io
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_tools

from rethink_det.detection.evaluation import coco_metric as module
from rethink_det.detection.evaluation.coco_metric import CocoMetric
from rethink_det.errors import UserError

SIDE = 130
LARGE = [8, 31, 33, 95, 97, 120]  # on both sides of the borders of COCO's areas, 32 and 96
IDS, CLASSES = (7, 2, 5), ('cat', 'dog', 'fish')
STATS = 12


@st.composite
def boxes(draw):
    """x, y, w, h inside the image; few values, so that boxes meet and scores tie."""
    w, h = draw(st.sampled_from(LARGE)), draw(st.sampled_from(LARGE))
    x, y = draw(st.integers(0, (SIDE - w) // 4)) * 4, draw(st.integers(0, (SIDE - h) // 4)) * 4
    return [x, y, w, h]


labels = st.integers(0, len(CLASSES) - 1)
objects = st.tuples(boxes(), labels, st.booleans() | st.just(False))
moved = st.integers(-3, 3)
guesses = st.tuples(boxes(), labels, st.integers(0, 10))
images = st.tuples(
    st.lists(objects, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), moved, moved, st.integers(0, 10)), max_size=6),
    st.lists(guesses, max_size=4),
)
scenes = st.lists(images, min_size=1, max_size=4)


def rle(box):
    """The pixels of a box but for its middle, so that mask and box differ."""
    mask = np.zeros((SIDE, SIDE), np.uint8, order='F')
    x, y, w, h = (int(value) for value in box)
    mask[y : y + h, x : x + w] = 1
    mask[y + h // 3 : y + h // 2, x + w // 3 : x + w // 2] = 0
    encoded = mask_tools.encode(mask)
    return {**encoded, 'counts': encoded['counts'].decode()}


def annotate(scene):
    """COCO annotations of a scene."""
    annotations = []
    for image, (found, _, _) in enumerate(scene):
        for box, label, crowd in found:
            shape = dict(bbox=box, segmentation=rle(box), area=box[2] * box[3] * 0.9)
            place = dict(image_id=image, category_id=IDS[label], iscrowd=int(crowd))
            annotations.append(dict(id=len(annotations) + 1, **place, **shape))
    return dict(
        images=[dict(id=i, width=SIDE, height=SIDE) for i in range(len(scene))],
        categories=[dict(id=i, name=name) for i, name in zip(IDS, CLASSES, strict=True)],
        annotations=annotations,
    )


def predict(scene, times=1):
    """What a detector found: objects moved a little, and inventions."""
    samples = []
    for image, (found, moves, inventions) in enumerate(scene):
        guessed = [*inventions]
        for index, dx, dy, score in moves:
            if index < len(found):
                (x, y, w, h), label, _ = found[index]
                x, y = np.clip([x + dx, y + dy], 0, [SIDE - w, SIDE - h])
                guessed.append(([x, y, w, h], label, score))
        guessed = guessed * times
        box = torch.tensor(np.array([guess[0] for guess in guessed], float).reshape(-1, 4))
        box[:, 2:] += box[:, :2]
        predicted = dict(
            bboxes=box.float(),
            labels=torch.tensor([guess[1] for guess in guessed], dtype=torch.long),
            scores=torch.tensor([guess[2] / 10 for guess in guessed]),
            masks=[rle(guess[0]) for guess in guessed],
        )
        size = dict(img_id=image, ori_shape=(SIDE, SIDE))
        samples.append(dict(size, pred_instances=predicted))
    return samples


def evaluators(backend, truth, samples, folder, monkeypatch, **options):
    """The evaluator objects of boxes and of masks that the whole metric used."""
    used = []
    kind = module._BACKENDS[backend]['COCOeval']

    class Kept(kind):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            used.append(self)

    file = folder / 'annotations.json'
    file.write_text(json.dumps(truth))
    with monkeypatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        patch.setitem(module._BACKENDS[backend], 'COCOeval', Kept)
        metric = CocoMetric(ann_file=str(file), metric=['bbox', 'segm'], backend=backend, **options)
        metric.dataset_meta = dict(classes=CLASSES)
        for sample in samples:
            metric.process({}, [sample])
        metric.evaluate(len(samples))
    return used


@pytest.fixture
def same(tmp_path, monkeypatch):
    """Asserts that both backends agree on everything; gives the statistics."""

    def check(scene, times=1, **options):
        truth = annotate(scene)
        pairs = [
            evaluators(name, truth, predict(scene, times), tmp_path, monkeypatch, **options)
            for name in ('faster', 'pycocotools')
        ]
        assert [len(used) for used in pairs] == [2, 2]
        for ours, theirs in zip(*pairs, strict=True):
            assert len(theirs.stats) == STATS
            np.testing.assert_array_equal(ours.stats, theirs.stats)
            for name in ('precision', 'recall', 'scores'):  # by threshold, class, size, number
                np.testing.assert_array_equal(ours.eval[name], theirs.eval[name])
        return [used.stats for used in pairs[1]]

    return check


@given(scene=scenes)
def test_every_number_is_that_of_pycocotools(same, scene):
    same(scene)


@settings(max_examples=6)
@given(scene=scenes, times=st.sampled_from([30, 60]))
def test_more_than_100_predictions_in_an_image(same, scene, times):
    same(scene, times)


@given(scene=scenes)
def test_thresholds_and_numbers_of_the_users(same, scene):
    same(scene, iou_thrs=np.array([0.5, 0.6, 0.75]), proposal_nums=(1, 3, 100))


BIG, SMALL = [0, 0, 120, 120], [40, 60, 8, 8]
NOTHING = ([], [], [])


@pytest.mark.parametrize(
    'scene, expected',
    [
        ([([(BIG, 0, False)], [(0, 0, 0, 9)], [])], 1),
        ([([(BIG, 0, False)], [], [])], 0),
        ([NOTHING, ([(BIG, 0, False)], [(0, 0, 0, 9)], [(BIG, 1, 9)])], 1),
        ([([], [], [(SMALL, 0, 9)]), ([(SMALL, 0, False)], [(0, 0, 0, 5)], [])], 0.5),
        # What lies in a crowd is neither right nor wrong.
        ([([(BIG, 0, True), (SMALL, 0, False)], [(0, 1, 1, 9), (1, 0, 0, 5)], [])], 1),
        ([([(BIG, 0, True)], [(0, 0, 0, 9)], [])], -1),
        ([NOTHING], -1),
    ],
    ids=['found', 'missed', 'empty image', 'false alarm', 'in crowd', 'crowd alone', 'nothing'],
)
def test_cases_whose_ap_is_known(same, scene, expected):
    for stats in same(scene):
        np.testing.assert_allclose(stats[0], expected, atol=1e-9)


def test_ap_by_class_whatever_the_order_of_ids(tmp_path):
    scene = [([(BIG, 0, False), (SMALL, 1, False)], [(0, 0, 0, 9)], [(BIG, 1, 9)])]
    file = tmp_path / 'annotations.json'
    file.write_text(json.dumps(annotate(scene)))
    results = []
    for backend in ('faster', 'pycocotools'):
        metric = CocoMetric(ann_file=str(file), classwise=True, backend=backend)
        metric.dataset_meta = dict(classes=CLASSES)
        metric.process({}, predict(scene))
        results.append(metric.evaluate(1))
    for name, ap in {'cat': 1.0, 'dog': 0.0, 'fish': float('nan')}.items():
        np.testing.assert_equal([float(r[f'coco/{name}_precision']) for r in results], [ap, ap])


def test_a_foreign_image_is_refused_by_name(tmp_path, monkeypatch):
    scene = [([(BIG, 0, False)], [(0, 0, 0, 9)], [])]
    samples = [{**predict(scene)[0], 'img_id': 12}]
    with pytest.raises(UserError, match='image 12, which is not in the annotations'):
        evaluators('faster', annotate(scene), samples, tmp_path, monkeypatch)
