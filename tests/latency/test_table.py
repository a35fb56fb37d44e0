"""Times are measured once, kept for the device, and not believed where they cannot be."""

import json
import math

import pytest
import torch

from rethink_det.latency import LatencyTable, operations_of
from rethink_det.latency import table as module
from rethink_det.latency.table import MEMORY, _in_parts, cache_folder, network_key, timed
from tests.latency.fake_time import CPU, fake_table, seconds_of


@pytest.fixture
def some():
    """Operations of two kinds, one of them called twice."""
    image, layer = torch.zeros(1, 3, 8, 8), torch.nn.Conv2d(3, 4, 3)
    return operations_of(lambda: [layer(image), layer(image), image + 1])


def test_what_is_known_is_not_measured_again_even_by_another_process(some, tmp_path):
    asked = []
    table = fake_table(tmp_path, asked)
    wanted = sum(number * seconds_of(one) for one, number in some.items())
    assert table.seconds(some) == pytest.approx(wanted)
    assert len(asked) == len(some)
    assert fake_table(tmp_path, asked).seconds(some) == pytest.approx(wanted)
    assert len(asked) == len(some)
    assert table.remembered('a', lambda: 2.0) == fake_table(tmp_path).remembered('a', lambda: 3.0)


def test_a_machine_that_is_slower_than_before_is_so_for_all(some, tmp_path):
    first, *others = some
    alone = {one: some[one] for one in others}
    fake_table(tmp_path).seconds(type(some)({first: 1}))
    slower = fake_table(tmp_path, slower=3.0)
    wanted = sum(number * seconds_of(one) for one, number in alone.items())
    assert slower.seconds(type(some)(alone)) == pytest.approx(wanted)


def test_two_processes_keep_what_both_have_measured(some, tmp_path):
    one, other = fake_table(tmp_path), fake_table(tmp_path)
    one.remembered('one', lambda: 1.0)
    other.remembered('other', lambda: 2.0)
    third = fake_table(tmp_path)
    assert (third.remembered('one', lambda: 9.0), third.remembered('other', lambda: 9.0)) == (1, 2)


@pytest.mark.parametrize(
    'change, words',
    [
        (lambda text: text[:-20], 'is damaged'),
        (
            lambda text: text.replace('"dtype": "float32"', '"dtype": "float16"'),
            'is of another device',
        ),
        (lambda text: json.dumps({**json.loads(text), 'operations': {'a': -1.0}}), 'is damaged'),
        (lambda text: json.dumps({**json.loads(text), 'networks': [1]}), 'is damaged'),
        (lambda text: '[]', 'is damaged'),
    ],
)
def test_a_file_that_cannot_be_believed_is_measured_anew(some, tmp_path, change, words):
    first = fake_table(tmp_path)
    first.seconds(some)
    first.path.write_text(change(first.path.read_text()))
    asked = []
    with pytest.warns(UserWarning, match=f'{first.path.name} {words}.*measured anew'):
        again = fake_table(tmp_path, asked)
    with pytest.warns(UserWarning, match='measured anew'):
        again.seconds(some)
    assert len(asked) == len(some)
    assert json.loads(first.path.read_text())['dtype'] == 'float32'


def test_each_device_version_and_number_of_threads_has_a_file(tmp_path, monkeypatch):
    first = LatencyTable(CPU, tmp_path).path
    for name, value in (('name_of', lambda device: 'another'), ('FORMAT', 2), ('DTYPE', 'float16')):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            assert LatencyTable(CPU, tmp_path).path != first
    with monkeypatch.context() as patch:
        patch.setattr(torch, '__version__', '0.1')
        assert LatencyTable(CPU, tmp_path).path != first
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert cache_folder() == tmp_path / 'rethink_det'
    assert LatencyTable(CPU, tmp_path).path == first


def test_real_operations_take_time_and_those_that_need_values_are_left_out(tmp_path):
    wide = operations_of(lambda: torch.zeros(1, 64, 64, 64) @ torch.zeros(64, 64))
    divided, by = torch.arange(4), torch.arange(1, 5)  # by 0 it fails
    needing = operations_of(lambda: (divided // by) + 1)
    table = LatencyTable(CPU, tmp_path)
    assert 0 < table.seconds(wide) < 10
    assert table.seconds(needing) > 0 and len(table.unmeasured) == 1
    drawn = torch.get_rng_state()
    assert all(math.isnan(t) or t > 0 for t in timed([*needing], CPU))
    assert torch.equal(torch.get_rng_state(), drawn)


def test_networks_are_told_apart_and_large_operations_are_timed_apart(some):
    twice = some + some
    assert network_key(some) != network_key(twice) and network_key(some) == network_key(some.copy())
    huge = torch.zeros(1, device='meta').expand(MEMORY).clone()
    large = [*operations_of(lambda: [huge + 1, huge * 2])]
    assert [len(part) for part in _in_parts([*some, *large])] == [2, 1, 1]
