"""Test sets drawn anew: of the right size, the same for all who ask, and none like another."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.report import image_draws as module
from rethink_det.report.image_draws import digest_of, image_draws

EVERMORE = '8aa09c687cb4bf04ad1b3304851efb2306915c774e0a50b6334068bf63459587'
DIGEST = digest_of([b'some', b'images'])


def all_draws(digest=DIGEST, images=7, draws=40):
    return np.concatenate(list(image_draws(digest, images, draws)), 1)


@given(images=st.integers(1, 50), draws=st.integers(1, 30), text=st.binary())
def test_every_draw_is_a_test_set_of_the_same_size(images, draws, text):
    counts = all_draws(digest_of([text]), images, draws)
    assert counts.shape == (images, draws) and (counts >= 0).all()
    assert (counts.sum(0) == images).all()


@given(first=st.integers(1, 30), more=st.integers(0, 30), cells=st.integers(1, 400))
def test_a_draw_is_the_same_however_many_are_asked_for_and_held_at_once(first, more, cells):
    whole = all_draws(draws=first + more)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, 'CELLS', cells)
        np.testing.assert_array_equal(all_draws(draws=first), whole[:, :first])


def test_the_draws_never_change():
    """Replicates stand in files: draws of another release would pair with the wrong images."""
    sha = hashlib.sha256(all_draws('00ff' * 16, 100, 1000).astype('<i4').tobytes())
    assert sha.hexdigest() == EVERMORE
    assert DIGEST == '6ba661f64d3df8e33f6bb8cd082c201053092437bfb945490f0983ca94ef4fc6'


def test_other_images_have_other_draws():
    assert (all_draws(digest_of([b'some', b'other'])) != all_draws()).any()
    assert digest_of([b'so', b'me']) != digest_of([b'some']) != digest_of([b'some', b''])


def test_counts_are_those_of_drawing_with_replacement():
    """Variance of a count is 1 - 1/n, covariance of two is -1/n."""
    counts = all_draws(images=20, draws=40_000)
    found = np.cov(counts)
    expected = np.eye(20) - 1 / 20
    assert np.abs(found - expected).max() < 0.04
    np.testing.assert_allclose(counts.mean(1), 1, atol=0.03)


@pytest.mark.parametrize('images', [0, -1])
def test_nothing_can_be_drawn_from_no_images(images):
    with pytest.raises(ValueError, match='no image to draw from'):
        next(image_draws(DIGEST, images))
