"""Latencies of a study that were measured side by side, and whose they are."""

from pathlib import Path

import pytest

from rethink_det.errors import UserError
from rethink_det.layout import LATENCIES
from rethink_det.report.latencies import Latencies, Measured, side_by_side
from rethink_det.report.run_result import RunResult

ONE, OTHER = (
    RunResult('detection', arm, 0, key=arm, digest=f'of {arm}', latency_ms=9.0, latency_device='x')
    for arm in ('unpruned', 'random')
)
BOTH = Latencies(
    'a GPU',
    (Measured(3.5, {'unpruned': 'of unpruned'}), Measured(2.5, {'random': 'of random'})),
    {'gone': 'no file'},
)


def test_they_are_read_as_they_were_written(tmp_path):
    assert Latencies.read(tmp_path) is None
    BOTH.write(tmp_path)
    assert Latencies.read(tmp_path) == BOTH


def test_runs_get_those_of_their_networks(tmp_path):
    BOTH.write(tmp_path)
    runs, beside = side_by_side([ONE, OTHER], Latencies.read(tmp_path))
    assert beside
    told = [(run.latency_ms, run.latency_device) for run in runs]
    assert told == [(3.5, 'a GPU'), (2.5, 'a GPU')]


def test_what_was_not_measured_or_trained_anew_leaves_each_its_own(tmp_path):
    assert side_by_side([ONE, OTHER], Latencies.read(tmp_path)) == ([ONE, OTHER], False)
    Latencies('a GPU', BOTH.networks[:1]).write(tmp_path)
    assert side_by_side([ONE, OTHER], Latencies.read(tmp_path)) == ([ONE, OTHER], False)
    changed = Measured(2.5, {'random': 'of other weights'})
    Latencies('a GPU', (BOTH.networks[0], changed)).write(tmp_path)
    assert side_by_side([ONE, OTHER], Latencies.read(tmp_path)) == ([ONE, OTHER], False)
    assert side_by_side([ONE], Latencies.read(tmp_path))[1]


@pytest.mark.parametrize('kind', [str, Path])
def test_the_folder_in_their_place_works_for_one_more_release(tmp_path, kind):
    BOTH.write(tmp_path)
    expected = side_by_side([ONE, OTHER], BOTH)
    with pytest.warns(DeprecationWarning, match=r'is now side_by_side\(runs, Latencies.read'):
        assert side_by_side([ONE, OTHER], kind(tmp_path)) == expected


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / LATENCIES).write_text('{"networks": 3}')
    with pytest.raises(UserError, match=r"latencies.json: 'device' is missing; delete it"):
        side_by_side([ONE], Latencies.read(tmp_path))
