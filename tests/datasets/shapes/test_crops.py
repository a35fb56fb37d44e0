"""Crops of one shape, whose colour says nothing of its class."""

import numpy as np
import pytest

from rethink_det.datasets.shapes import CLASSES, draw_crop


def crops(count, seed):
    labels = np.arange(count) % len(CLASSES)
    streams = np.random.SeedSequence(seed).spawn(count)
    images = [
        draw_crop(np.random.default_rng(stream), int(label))
        for stream, label in zip(streams, labels, strict=True)
    ]
    return np.stack(images), labels


def test_no_crop_is_in_both_splits(shapes_root):
    with np.load(shapes_root / 'crops_train.npz') as train:
        seen = {image.tobytes() for image in train['images']}
        assert len(seen) == len(train['images'])
    with np.load(shapes_root / 'crops_test.npz') as test:
        assert not seen & {image.tobytes() for image in test['images']}


def accuracy_of_nearest_centroid(features, labels, trained):
    spread = features[:trained].std(axis=0) + 1e-6
    features = features / spread
    centers = np.stack(
        [features[:trained][labels[:trained] == c].mean(axis=0) for c in range(len(CLASSES))]
    )
    distance = np.linalg.norm(features[trained:, None] - centers, axis=2)
    return (distance.argmin(axis=1) == labels[trained:]).mean()


@pytest.mark.slow
def test_colour_alone_does_not_give_the_class_away():
    images, labels = crops(1600, seed=3)
    mean = images.mean(axis=(1, 2))
    bins = (images // 64).astype(int) @ (16, 4, 1)
    histogram = np.stack([np.bincount(one.ravel(), minlength=64) for one in bins])
    center = images[:, 12:20, 12:20].mean(axis=(1, 2))
    assert accuracy_of_nearest_centroid(mean, labels, 1200) < 0.25
    assert accuracy_of_nearest_centroid(np.sqrt(histogram), labels, 1200) < 0.25
    assert accuracy_of_nearest_centroid(center, labels, 1200) < 0.25
