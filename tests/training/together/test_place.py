"""A run's place among the members of its group is kept in its folder."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.layout import TOGETHER
from rethink_det.training.together.place import MOST, Place


@given(st.integers(1, MOST), st.data())
def test_what_is_written_is_read(tmp_path_factory, size, data):
    folder = tmp_path_factory.mktemp('run')
    place = Place(data.draw(st.integers(0, size - 1)), size)
    assert Place.read(folder) is None
    place.write(folder)
    assert Place.read(folder) == place


@pytest.mark.parametrize(
    'change',
    [{'number': 2}, {'number': -1}, {'size': 0}, {'size': MOST + 1}, {'size': 'two'}, {'with': 1}],
)
def test_what_is_no_place_is_refused(tmp_path, change):
    Place(1, 2).write(tmp_path)
    content = json.loads((tmp_path / TOGETHER).read_text())
    (tmp_path / TOGETHER).write_text(json.dumps({**content, **change}))
    with pytest.raises(UserError, match=f'{TOGETHER}.*delete the folder of the run'):
        Place.read(tmp_path)


def test_a_place_says_both(tmp_path):
    (tmp_path / TOGETHER).write_text('{"format": "rethink_det.together", "version": 1}')
    with pytest.raises(UserError, match='number'):
        Place.read(tmp_path)
