"""The doctor looks at shared memory, of which a container has hardly any."""

import shutil
from types import SimpleNamespace

import pytest

from rethink_det.doctor.hardware import ENOUGH_SHARED, check_shared_memory


@pytest.mark.parametrize('free, works', [(64e6, False), (ENOUGH_SHARED, True)])
def test_it_says_how_much_there_is_and_what_to_do(tmp_path, monkeypatch, free, works):
    usage = SimpleNamespace(free=int(free), total=int(2 * free))
    monkeypatch.setattr(shutil, 'disk_usage', lambda place: usage)
    finding = check_shared_memory(str(tmp_path))
    (ability,) = finding.abilities
    assert ability.works == works and '--shm-size' in ability.remedy
    assert finding.facts == {'total_gb': 2 * free / 1e9, 'free_gb': free / 1e9}


def test_where_there_is_no_such_folder_nothing_is_limited(tmp_path):
    finding = check_shared_memory(str(tmp_path / 'none'))
    assert not finding.abilities and 'no limit' in finding.facts['folder']
