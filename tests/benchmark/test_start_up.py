"""``rethink-det benchmark import``: the package starts faster than what it stands on."""

import re

import pytest

from rethink_det import UserError
from rethink_det.benchmark.start_up import against_mmengine


def test_the_package_imports_faster_than_mmengine(command):
    done = command('benchmark', 'import', '--rounds', 1)
    assert done.status == 0, done
    assert float(re.search(r'ours / peer: ([\d.]+) of medians', done.out)[1]) < 1


def test_no_rounds_are_refused():
    with pytest.raises(UserError, match='at least 1 round'):
        against_mmengine(0)
