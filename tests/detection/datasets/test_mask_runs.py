"""Run lengths are read as pycocotools wrote them; a text that is none is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as mask_tools

from rethink_det.detection.datasets.mask_runs import decompressed


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_they_are_those_that_were_compressed(runs):
    size = [sum(runs), 1]
    counts = mask_tools.frPyObjects({'counts': runs, 'size': size}, *size)['counts'].decode()
    assert decompressed(counts) == runs


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 1000))
def test_those_of_a_mask_are_its_pixels(height, width, density, seed):
    mask = np.random.default_rng(seed).random((height, width)) < density
    encoded = mask_tools.encode(np.asfortranarray(mask, np.uint8))
    runs = decompressed(encoded['counts'].decode())
    assert (sum(runs), sum(runs[1::2])) == (mask.size, mask.sum())


@pytest.mark.parametrize('counts', ['P', '0P', 'oooooooooooooooooooo', '\u20ac', ' ', '1\x00'])
def test_a_text_that_is_none_ends_in_minus_one(counts):
    assert decompressed(counts)[-1] == -1


@given(st.text(max_size=40))
def test_any_text_ends(counts):
    assert all(isinstance(one, int) for one in decompressed(counts))
