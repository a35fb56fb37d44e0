"""The noise of a metric over test images, by hand and by the bootstrap itself."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.report.image_draws import digest_of, image_draws
from rethink_det.report.noise import noise_of

TOP1, AP = 'accuracy/top1', 'coco/bbox_mAP'


def test_of_a_percentage_it_is_the_binomials_by_hand():
    assert noise_of(90.0, TOP1, 10_000, None) == pytest.approx(0.3)
    assert noise_of(50.0, TOP1, 100, (1.0, 2.0)) == pytest.approx(5)


def test_of_anything_else_it_is_the_deviation_of_the_replicates():
    assert noise_of(0.4, AP, 5000, [0.3, 0.4, 0.5]) == pytest.approx(0.1)


@given(images=st.integers(2, 100_000), share=st.floats(0, 1))
def test_no_network_is_without_noise(images, share):
    """Zero mistakes on n images is not zero mistakes."""
    found = noise_of(100 * round(share * images) / images, TOP1, images, None)
    assert 100 * sqrt((1 - 1 / images) / images) / sqrt(images) <= found * (1 + 1e-9)
    assert found <= 50 / sqrt(images) * (1 + 1e-9)


@given(images=st.integers(20, 200), share=st.floats(0.1, 0.9))
def test_the_binomial_is_what_the_replicates_say(images, share):
    right = np.arange(images) < round(share * images)
    draws = np.concatenate(list(image_draws(digest_of([b'']), images, 4000)), 1)
    values = (100 / images * (right @ draws)).tolist()
    binomial = noise_of(100 * right.mean(), TOP1, images, None)
    assert noise_of(0.0, 'any/other', images, values) == pytest.approx(binomial, rel=0.07)


@pytest.mark.parametrize(
    'value, metric, images, replicates',
    [
        (90.0, TOP1, None, None),
        (90.0, TOP1, None, (89.0, 91.0)),
        (100.0, TOP1, 1, None),
        (0.4, AP, 5000, None),
        (0.4, AP, 5000, ()),
        (0.4, AP, 5000, (0.4,)),
        (0.0, AP, 5000, (0.0,) * 1000),
    ],
)
def test_it_is_unknown_where_nothing_tells(value, metric, images, replicates):
    assert noise_of(value, metric, images, replicates) is None
