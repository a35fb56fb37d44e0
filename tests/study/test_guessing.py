"""A given network that only guesses is refused, one that has learned a little is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.errors import UserError
from rethink_det.study.guessing import check_beats_guessing


@pytest.mark.parametrize(
    'top1, images, classes', [(9.5, 1000, 10), (12.0, 10_000, 10), (0.1, 50_000, 1000), (0, 20, 3)]
)
def test_guessing_is_refused(top1, images, classes):
    with pytest.raises(UserError, match=f'theirs.pth scores {top1:g} % on {images} test images'):
        check_beats_guessing('theirs.pth', top1, images, classes)


def test_what_was_inferred_is_told_again():
    with pytest.raises(UserError, match='by options. When it was read: the shortcut is a guess.'):
        check_beats_guessing('theirs.pth', 9.5, 1000, 10, ['the shortcut is a guess'])


@pytest.mark.parametrize(
    'top1, images, classes',
    [(36.6, 1000, 10), (19.0, 1000, 10), (50.0, 10_000, 2), (0.0, 10, 10), (30.0, 10, 4)],
)
def test_what_may_have_learned_is_not(top1, images, classes):
    check_beats_guessing('theirs.pth', top1, images, classes)


@given(st.integers(3, 1000), st.integers(1, 100_000), st.data())
def test_one_twice_as_good_as_guessing_never_is(classes, images, data):
    top1 = data.draw(st.floats(200 / classes, 100))
    check_beats_guessing('theirs.pth', top1, images, classes)
