"""Two networks and one evaluation of each: by hand, and what is no pair is refused."""

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rethink_det.errors import UserError
from rethink_det.report import RunResult
from rethink_det.report.image_draws import digest_of, image_draws
from rethink_det.report.paired_bootstrap import paired_bootstrap, paired_interval

AP, TOP1 = 'coco/bbox_mAP', 'accuracy/top1'
OURS, THEIRS = (0.30, 0.35, 0.40), (0.29, 0.33, 0.37)


def run(value, replicates, metric=AP, digest='ab' * 32, images=9):
    return RunResult(
        'detection', 'prune-c', 0, metrics={metric: value}, test_images=images,
        test_digest=digest, replicates=replicates and {metric: replicates},
    )  # fmt: skip


def test_the_interval_by_hand():
    """Differences 0.01, 0.02, 0.03: their deviation is 0.01; t with 8 degrees of freedom: 2.306."""
    found = paired_bootstrap(run(0.375, OURS), run(0.33, THEIRS), AP)
    assert found.difference == pytest.approx(0.045)
    assert found.interval == pytest.approx((0.045 - 0.02306, 0.045 + 0.02306), abs=1e-5)
    assert found.told_apart and found.test_images == 9
    assert str(found) == (
        'coco/bbox_mAP: 0.375 - 0.33 = +0.045, 95 % interval +0.02194 to +0.06806 over 9 test '
        'images: told apart'
    )


def test_a_surer_interval_is_wider_and_may_tell_nothing():
    found = paired_bootstrap(run(0.35, OURS), run(0.33, THEIRS), AP, confidence=0.99)
    assert not found.told_apart and str(found).endswith('not told apart')


values = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=30)


@given(values, st.floats(0, 1), st.floats(0, 1), st.floats(0.5, 0.999))
def test_who_is_first_turns_the_sign_alone(pairs, first, second, confidence):
    ours, theirs = zip(*pairs, strict=True)
    found = paired_bootstrap(run(first, ours), run(second, theirs), AP, confidence)
    other = paired_bootstrap(run(second, theirs), run(first, ours), AP, confidence)
    np.testing.assert_allclose(other.interval, [-one for one in found.interval[::-1]], atol=1e-12)
    assert found.told_apart == other.told_apart
    assert found.interval[0] <= found.difference <= found.interval[1]


def test_a_network_is_not_told_apart_from_itself():
    found = paired_bootstrap(run(0.35, OURS), run(0.35, OURS), AP)
    assert found.interval == (0, 0) and not found.told_apart


@given(images=st.integers(100, 400), seed=st.integers(0, 2**32 - 1))
def test_of_two_classifiers_it_is_mcnemars_interval(images, seed):
    """The deviation of a paired difference of shares is known: sqrt(b + c - (b - c)^2 / n) / n."""
    rng = np.random.default_rng(seed)
    right = rng.random((2, images)) < np.array([[0.8], [0.7]])
    draws = np.concatenate(list(image_draws(digest_of([b'']), images)), 1)
    ours, theirs = 100 / images * (right @ draws)
    difference = 100 * (right[0].mean() - right[1].mean())
    low, high = paired_interval(difference, ours.tolist(), theirs.tolist(), images)
    only = (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()
    error = 100 / images * np.sqrt(sum(only) - (only[0] - only[1]) ** 2 / images)
    assert high - low == pytest.approx(2 * stats.norm.ppf(0.975) * error, rel=0.12)


@pytest.mark.parametrize(
    'theirs, said',
    [
        (
            run(0.33, THEIRS, digest='cd' * 32),
            r'other test images.*\(9 images abababab, 9 images cd',
        ),
        (run(0.33, THEIRS[:2]), 'other test images'),
        (run(0.33, None), "'coco/bbox_mAP' is not known on drawn test sets, known are: none"),
        (run(None, THEIRS), "'coco/bbox_mAP' is not known"),
        (run(90.0, THEIRS, metric=TOP1), 'known are: accuracy/top1'),
    ],
)
def test_what_is_no_pair_is_refused(theirs, said):
    with pytest.raises(UserError, match=said):
        paired_bootstrap(run(0.35, OURS), theirs, AP)


@pytest.mark.parametrize('confidence', [0, 1, 95, -0.1, nan])
def test_a_confidence_that_is_none_is_refused(confidence):
    with pytest.raises(UserError, match='between 0 and 1, such as 0.95'):
        paired_bootstrap(run(0.35, OURS), run(0.33, THEIRS), AP, confidence)


@pytest.mark.parametrize('ours, theirs', [(OURS, OURS[:2]), ((0.1,), (0.1,))])
def test_draws_that_are_no_pairs_are_refused(ours, theirs):
    with pytest.raises(ValueError, match='are no pairs'):
        paired_interval(0.0, ours, theirs, 9)


def test_of_a_single_image_nothing_is_told():
    one, other = run(0.35, OURS, images=1), run(0.33, THEIRS, images=1)
    with pytest.raises(UserError, match='of 1 test images, which tell nothing'):
        paired_bootstrap(one, other, AP)
    with pytest.raises(ValueError, match='of 1 images are no pairs'):
        paired_interval(0.02, OURS, THEIRS, 1)
