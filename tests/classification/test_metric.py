"""Accuracy by hand, and what must never count as correct."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.classification import Accuracy
from rethink_det.registry import METRICS
from rethink_det.report.image_draws import image_draws


def accuracy(scores, labels, topk=(1,), batches=1):
    metric = Accuracy(topk)
    pairs = zip(
        torch.tensor(scores, dtype=torch.float32).chunk(batches),
        torch.tensor(labels).chunk(batches),
        strict=True,
    )
    for part, label in pairs:
        metric.process({}, [{'scores': part, 'gt_label': label}])
    return metric.evaluate(len(labels))


SCORES = [[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.6, 0.1, 0.3]]


@pytest.mark.parametrize('batches', [1, 2, 4])
def test_top_k_by_hand(batches):
    found = accuracy(SCORES, [1, 1, 0, 0], topk=(1, 2), batches=batches)
    assert found == {'accuracy/top1': 50.0, 'accuracy/top2': 75.0}


@given(
    st.lists(st.tuples(st.permutations(range(6)), st.integers(0, 5)), min_size=1, max_size=12),
    st.integers(1, 5),
)
def test_it_is_the_share_of_images_whose_class_is_among_the_k_highest(images, k):
    scores, labels = [list(s) for s, _ in images], [label for _, label in images]
    correct = sum(label in sorted(range(6), key=lambda c: -s[c])[:k] for s, label in images)
    expected = 100 * correct / len(images)
    assert accuracy(scores, labels, (k,))[f'accuracy/top{k}'] == pytest.approx(expected)


def test_ties_count_against_the_network():
    constant = [[0.5] * 4] * 4
    assert accuracy(constant, [0, 1, 2, 3], (1, 2, 3)) == {
        'accuracy/top1': 0, 'accuracy/top2': 0, 'accuracy/top3': 0
    }  # fmt: skip
    assert accuracy([[1.0, 1.0, 0.0]], [0], (1, 2)) == {'accuracy/top1': 0, 'accuracy/top2': 100}


@pytest.mark.parametrize(
    'scores', [[math.nan] * 3, [math.nan, 0.0, 0.0], [0.9, math.nan, math.nan]]
)
def test_what_is_no_number_is_refused(scores):
    with pytest.raises(UserError, match='scores that are not numbers'):
        accuracy([scores], [0])


def test_a_constant_is_never_correct():
    assert accuracy([[-math.inf] * 3], [0]) == {'accuracy/top1': 0}


def test_infinite_scores_rank_like_others():
    assert accuracy([[math.inf, 1.0, 2.0]], [0]) == {'accuracy/top1': 100}
    assert accuracy([[-math.inf, 1.0, 2.0]], [2]) == {'accuracy/top1': 100}


@pytest.mark.parametrize('classes, kept', [(10, {1, 5}), (6, {1, 5}), (5, {1}), (3, {1}), (1, {1})])
def test_a_k_that_could_not_fail_is_left_out(classes, kept):
    found = accuracy([list(range(classes))], [classes - 1], topk=(1, 5))
    assert found == {f'accuracy/top{k}': 100 for k in kept}


def test_only_large_ks_leave_the_top_one():
    assert accuracy([[0.0, 1.0]], [1], topk=(5,)) == {'accuracy/top1': 100}


def test_the_predictions_of_a_second_evaluation_start_anew():
    metric = METRICS.build(dict(type='rethink_det.Accuracy', topk=(1,)))
    right, wrong = (
        {'scores': torch.eye(2), 'gt_label': torch.tensor(labels)} for labels in ([0, 1], [1, 0])
    )
    metric.process({}, [right])
    assert metric.evaluate(2) == {'accuracy/top1': 100}
    metric.process({}, [wrong])
    assert metric.evaluate(2) == {'accuracy/top1': 0}


@pytest.mark.parametrize('topk', [(), 5, '15', None], ids=repr)
def test_what_is_no_list_of_ranks_is_refused(topk):
    with pytest.raises(UserError, match=r'Accuracy: topk must be a list such as \(1, 5\), got'):
        Accuracy(topk)


@pytest.mark.parametrize('k', [0, -1, 1.5, '1'])
def test_a_rank_that_is_no_count_is_refused(k):
    with pytest.raises(UserError, match='Accuracy: topk must be a whole number of at least 1, got'):
        Accuracy((1, k))


def test_the_accuracy_on_no_images_is_refused():
    with pytest.raises(UserError, match='the data has no images, there is nothing to measure'):
        Accuracy().compute_metrics([])


def evaluated(images, scores, labels, order=None, batches=1):
    """The metric after an evaluation of the images in some order and some batches."""
    metric, order = Accuracy((1,)), torch.arange(len(labels)) if order is None else order
    metric.keep_images = True
    for part in order.chunk(batches):
        metric.process(
            {'inputs': images[part]}, [{'scores': scores[part], 'gt_label': labels[part]}]
        )
    metric.evaluate(len(labels))
    return metric


@pytest.fixture
def ten():
    """Ten images with the scores of a network and labels, of three classes."""
    torch.manual_seed(0)
    images = torch.randint(0, 256, (10, 3, 4, 4), dtype=torch.uint8)
    return images, torch.rand(10, 3), torch.arange(10) % 3


def test_replicates_are_the_accuracies_of_repeated_images(ten):
    """Each against the metric itself on the images that were drawn, as often as they were."""
    images, scores, labels = ten
    found = evaluated(*ten).image_replicates()
    assert found.test_images == 10 and len(found.replicates['accuracy/top1']) == 1000
    digests = evaluated(*ten)._evaluated
    place = sorted(range(10), key=lambda one: digests[one][1])
    counts = next(image_draws(found.test_digest, 10))
    for draw in range(20):
        chosen = torch.tensor(np.repeat(place, counts[:, draw].astype(int)))
        metric = Accuracy((1,))
        metric.process({}, [{'scores': scores[chosen], 'gt_label': labels[chosen]}])
        expected = metric.evaluate(10)['accuracy/top1']
        assert found.replicates['accuracy/top1'][draw] == pytest.approx(expected)


@given(seed=st.integers(0, 1000), batches=st.integers(1, 10))
def test_the_order_of_the_images_does_not_matter(ten, seed, batches):
    order = torch.randperm(10, generator=torch.Generator().manual_seed(seed))
    found = evaluated(*ten, order=order, batches=batches).image_replicates()
    assert found == evaluated(*ten).image_replicates()


def test_images_given_one_by_one_are_the_same_images(ten):
    images, scores, labels = ten
    metric = Accuracy((1,))
    metric.keep_images = True
    metric.process({'inputs': list(images)}, [{'scores': scores, 'gt_label': labels}])
    metric.evaluate(10)
    assert metric.image_replicates() == evaluated(*ten).image_replicates()


def test_another_pixel_or_label_is_another_test_set(ten):
    images, scores, labels = ten
    pixel, label = images.clone(), labels.clone()
    pixel[3, 0, 0, 0] += 1
    label[3] += 1
    sets = [(images, scores, labels), (pixel, scores, labels), (images, scores, label)]
    assert len({evaluated(*one).image_replicates().test_digest for one in sets}) == 3
    other = evaluated(images, 1 - scores, labels).image_replicates()
    same = evaluated(*ten).image_replicates()
    assert other.test_digest == same.test_digest and other != same


@pytest.mark.parametrize(
    'batch, kept',
    [({}, True), ({'inputs': torch.zeros(3, 1)}, True), ({'inputs': torch.zeros(2, 1)}, False)],
)
def test_images_that_were_not_there_or_not_kept_have_no_replicates(batch, kept):
    metric = Accuracy((1,))
    metric.keep_images = kept
    metric.process(batch, [{'scores': torch.eye(2), 'gt_label': torch.tensor([0, 1])}])
    assert metric.evaluate(2) == {'accuracy/top1': 100}
    with pytest.raises(UserError, match='has not kept its images'):
        metric.image_replicates()


def test_there_are_no_replicates_before_an_evaluation():
    with pytest.raises(UserError, match='has not kept its images'):
        Accuracy().image_replicates()
