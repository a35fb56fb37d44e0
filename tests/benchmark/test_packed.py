"""Several trainings at once are timed against one."""

import re

import pytest

from rethink_det.benchmark.packed import against_one


@pytest.mark.slow
def test_several_runs_are_timed_at_once(workload, capsys):
    against_one(workload, runs=2, epochs=1)
    assert re.search(r'  2: [\d,]+ images/s together\n  2 / 1: [\d.]+', capsys.readouterr().out)
