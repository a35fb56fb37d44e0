"""What the shapes are: deterministic, balanced, exact in their masks, blind to colour."""

import hashlib
import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from rethink_det import UserError
from rethink_det.datasets.shapes import CLASSES, build_shapes, draw_crop, draw_picture
from rethink_det.datasets.shapes.canvas import Canvas
from rethink_det.datasets.shapes.outlines import OUTLINES, place
from rethink_det.datasets.shapes.scene import LEAST_PIXELS


def digests(root):
    files = sorted(path for path in root.rglob('*') if path.is_file())
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def crops(count, seed):
    labels = np.arange(count) % len(CLASSES)
    streams = np.random.SeedSequence(seed).spawn(count)
    images = [
        draw_crop(np.random.default_rng(stream), int(label))
        for stream, label in zip(streams, labels, strict=True)
    ]
    return np.stack(images), labels


def test_same_seed_gives_the_same_bytes(shapes_root, tmp_path, sizes):
    again = build_shapes(tmp_path / 'again', **sizes)
    assert digests(again) == digests(shapes_root)


def test_another_seed_gives_other_images(shapes_root, tmp_path, sizes):
    other = build_shapes(tmp_path / 'other', seed=1, **sizes)
    same = digests(other).items() & digests(shapes_root).items()
    assert not same


def test_a_small_data_set_is_the_start_of_a_larger_one(shapes_root, tmp_path):
    small = build_shapes(tmp_path / 'small', crops=(8, 8), images=(2, 1))
    with (
        np.load(small / 'crops_train.npz') as few,
        np.load(shapes_root / 'crops_train.npz') as many,
    ):
        assert np.array_equal(few['images'], many['images'][:8])
    name = 'train/000002.png'
    assert (small / name).read_bytes() == (shapes_root / name).read_bytes()


def test_no_crop_is_in_both_splits(shapes_root):
    with np.load(shapes_root / 'crops_train.npz') as train:
        seen = {image.tobytes() for image in train['images']}
        assert len(seen) == len(train['images'])
    with np.load(shapes_root / 'crops_test.npz') as test:
        assert not seen & {image.tobytes() for image in test['images']}


def test_coco_masks_are_those_the_generator_painted(shapes_root, sizes):
    coco = COCO(shapes_root / 'annotations' / 'instances_train.json')
    stream = np.random.SeedSequence(0).spawn(4)[2]
    for number, child in enumerate(stream.spawn(sizes['images'][0]), start=1):
        picture = draw_picture(np.random.default_rng(child))
        found = coco.loadAnns(coco.getAnnIds(imgIds=[number]))
        assert [ann['category_id'] - 1 for ann in found] == picture.labels.tolist()
        for ann, mask in zip(found, picture.masks, strict=True):
            assert np.array_equal(coco.annToMask(ann).astype(bool), mask)
            x, y, width, height = ann['bbox']
            inside = mask[y : y + height, x : x + width]
            assert inside.sum() == mask.sum() == ann['area'] >= LEAST_PIXELS
            assert inside[0].any() and inside[-1].any()
            assert inside[:, 0].any() and inside[:, -1].any()


def test_categories_are_one_to_eight_in_class_order(shapes_root):
    text = (shapes_root / 'annotations' / 'instances_val.json').read_text()
    categories = json.loads(text)['categories']
    assert [(c['id'], c['name']) for c in categories] == list(enumerate(CLASSES, start=1))


@pytest.mark.parametrize('seed', range(12))
def test_pictures_hold_one_to_six_objects_that_share_no_pixel(seed):
    picture = draw_picture(np.random.default_rng(seed))
    assert picture.image.shape == (128, 128, 3) and picture.image.dtype == np.uint8
    assert 1 <= len(picture.labels) == len(picture.masks) <= 6
    assert picture.masks.sum(axis=0).max() == 1


@pytest.mark.parametrize('name', CLASSES)
def test_turning_an_outline_keeps_its_area(name):
    canvas = Canvas(np.random.default_rng(0), 64)
    areas = [
        canvas.covers(place(OUTLINES[name], (31.5, 31.5), 24, angle))[1].sum()
        for angle in np.linspace(0, 2 * np.pi, 9)
    ]
    assert np.ptp(areas) < 0.02 * np.mean(areas)


def test_an_outline_beyond_the_border_covers_nothing():
    canvas = Canvas(np.random.default_rng(0), 32)
    assert canvas.covers(place(OUTLINES['disk'], (200.0, -90.0), 10, 0.0))[1].sum() == 0


def accuracy_of_nearest_centroid(features, labels, trained):
    spread = features[:trained].std(axis=0) + 1e-6
    features = features / spread
    centers = np.stack(
        [features[:trained][labels[:trained] == c].mean(axis=0) for c in range(len(CLASSES))]
    )
    distance = np.linalg.norm(features[trained:, None] - centers, axis=2)
    return (distance.argmin(axis=1) == labels[trained:]).mean()


def test_colour_alone_does_not_give_the_class_away():
    images, labels = crops(1600, seed=3)
    mean = images.mean(axis=(1, 2))
    bins = (images // 64).astype(int) @ (16, 4, 1)
    histogram = np.stack([np.bincount(one.ravel(), minlength=64) for one in bins])
    center = images[:, 12:20, 12:20].mean(axis=(1, 2))
    assert accuracy_of_nearest_centroid(mean, labels, 1200) < 0.25
    assert accuracy_of_nearest_centroid(np.sqrt(histogram), labels, 1200) < 0.25
    assert accuracy_of_nearest_centroid(center, labels, 1200) < 0.25


@pytest.mark.parametrize(
    ('wrong', 'named'),
    [
        (dict(seed=-1), 'seed=-1'),
        (dict(seed=True), 'seed=True'),
        (dict(crops=(8, 0)), 'crops='),
        (dict(crops=8), 'crops='),
        (dict(images=(1, 2, 3)), 'images='),
    ],
)
def test_refuses_impossible_parameters(tmp_path, wrong, named, sizes):
    with pytest.raises(UserError, match=named):
        build_shapes(tmp_path / 'never', **{**sizes, **wrong})
    assert not list(tmp_path.iterdir())
