"""mIoU is mmsegmentation's, to the last digit of what that rounds."""

import numpy as np
import pytest
import torch

from rethink_det.errors import UserError
from rethink_det.report.image_draws import digest_of, image_draws
from rethink_det.segmentation.mean_iou import MeanIoU

CLASSES = ('sky', 'tree', 'car', 'train')


def maps(seed, images=5, classes=3, ignored=0.1):
    """Samples as a segmenter gives them, and the images; the last class is never there."""
    draw = np.random.default_rng(seed)
    samples, inputs = [], []
    for _ in range(images):
        true = draw.integers(0, classes, (1, 7, 9))
        found = np.where(draw.random(true.shape) < 0.6, true, draw.integers(0, classes, true.shape))
        true = np.where(draw.random(true.shape) < ignored, 255, true)
        pair = {'pred_sem_seg': found, 'gt_sem_seg': true}
        samples.append({k: {'data': torch.from_numpy(v)} for k, v in pair.items()})
        inputs.append(torch.from_numpy(draw.integers(0, 256, (3, 7, 9), dtype=np.uint8)))
    return samples, inputs


def evaluated(samples, inputs=(), metric=None):
    metric = metric or MeanIoU()
    metric.dataset_meta = {'classes': CLASSES}
    for number, sample in enumerate(samples):  # in batches of one
        metric.process({'inputs': inputs[number : number + 1]}, [sample])
    return metric.evaluate(len(samples))


@pytest.mark.parametrize('seed', range(5))
def test_numbers_are_mmsegmentations(seed):
    theirs = pytest.importorskip('mmseg.evaluation').IoUMetric
    samples, _ = maps(seed)
    found = evaluated(samples)
    assert {key: round(value, 2) for key, value in found.items()} == pytest.approx(
        evaluated(samples, metric=theirs(iou_metrics=['mIoU'])), abs=1e-9
    )


def test_a_class_that_is_nowhere_has_no_part_in_the_mean():
    true = torch.tensor([[[0, 0, 1, 1]]])
    found = torch.tensor([[[0, 1, 1, 1]]])
    sample = {'pred_sem_seg': {'data': found}, 'gt_sem_seg': {'data': true}}
    assert evaluated([sample]) == pytest.approx(
        dict(mIoU=100 * (1 / 2 + 2 / 3) / 2, aAcc=75.0, mAcc=75.0)
    )


def test_replicates_are_the_metric_of_the_drawn_images():
    samples, inputs = maps(7)
    metric = MeanIoU()
    metric.keep_images = True
    evaluated(samples, inputs, metric)
    replicates = metric.image_replicates()
    order = sorted(range(5), key=lambda place: metric._evaluated[place][1])
    digest = digest_of(metric._evaluated[place][1] for place in order)
    assert (replicates.test_digest, replicates.test_images) == (digest, 5)
    counts = np.concatenate([*image_draws(digest, 5)], axis=1)
    for draw in (0, 1, 999):
        drawn = [samples[order[i]] for i in range(5) for _ in range(int(counts[i, draw]))]
        assert replicates.replicates['mIoU'][draw] == pytest.approx(evaluated(drawn)['mIoU'])


def test_the_order_of_the_images_does_not_matter():
    samples, inputs = maps(3)
    found = []
    for step in (1, -1):
        metric = MeanIoU()
        metric.keep_images = True
        evaluated(samples[::step], inputs[::step], metric)
        found.append(metric.image_replicates())
    assert found[0] == found[1]


def test_a_class_that_the_data_set_has_not_is_refused():
    samples, _ = maps(0)
    samples[2]['gt_sem_seg']['data'][0, 0, 0] = 4
    samples[2]['seg_map_path'] = 'maps/2.png'
    with pytest.raises(
        UserError, match=r'maps/2.png has pixels of the class 4, .* 0 to 3, and 255'
    ):
        evaluated(samples)


def test_nothing_to_count_is_refused():
    samples, _ = maps(0, ignored=1.1)
    with pytest.raises(UserError, match='no pixel of the test images'):
        evaluated(samples)
    metric = MeanIoU()
    samples, _ = maps(0)
    evaluated(samples, metric=metric)
    with pytest.raises(UserError, match='has not kept its images'):
        metric.image_replicates()
