"""What tools pickle beside tensors is read as plain values, and nothing of it is run."""

import argparse
import collections
import os
import pathlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from rethink_det import UserError
from rethink_det.architecture.checkpoint_file import load_plain
from tests.architecture.test_checkpoint import old_format


@pytest.fixture
def through(tmp_path):
    """What is read of a value that was written."""

    def through(value, save=torch.save):
        save({'value': value}, tmp_path / 'file.pth')
        return load_plain(tmp_path / 'file.pth')['value']

    return through


@pytest.mark.parametrize('save', [torch.save, old_format], ids=['zip', 'old'])
@pytest.mark.parametrize(
    'value, plain',
    [
        (np.float64(0.5), 0.5),
        (np.float32(0.25), 0.25),
        (np.int64(-3), -3),
        (np.bool_(True), True),
        (np.str_('red'), 'red'),
        (np.array(['a', 'bc']), ['a', 'bc']),
        (np.array([1, 'a', None], dtype=object), [1, 'a', None]),
        (argparse.Namespace(lr=0.1, out=pathlib.Path('/a/b')), {'lr': 0.1, 'out': '/a/b'}),
        (ConfigDict(a=dict(b=[1, 2])), {'a': {'b': [1, 2]}}),
        (collections.defaultdict(list, {'k': [1]}), {'k': [1]}),
        ((np.int64(1), {2}, [np.float64(3)]), (1, {2}, [3.0])),
    ],
    ids=str,
)
def test_a_value_comes_back_in_plain_types(through, value, plain, save):
    found = through(value, save)
    assert found == plain
    assert type(found) is not type(value) or isinstance(value, tuple)


@given(
    values=st.lists(st.integers(-100, 100), min_size=1, max_size=12),
    kind=st.sampled_from(['<f8', '>f4', '<i8', '>i2', '|u1', '|b1', '<c16']),
    fortran=st.booleans(),
)
def test_arrays_become_tensors_of_the_same_numbers(through, values, kind, fortran):
    array = np.array([values, values[::-1]]).astype(kind)
    found = through(np.asfortranarray(array) if fortran else array)
    assert isinstance(found, torch.Tensor)
    assert np.array_equal(found.numpy(), array)


def test_a_history_of_mmengine_becomes_its_columns(through):
    found = through(HistoryBuffer([1.5, 2.5], [1, 2]))
    assert [column.tolist() for column in found] == [[1.5, 2.5], [1, 2]]


def test_the_order_and_versions_of_a_state_dict_stay(tmp_path):
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2))
    torch.save({'state_dict': network.state_dict(), 'best': np.float64(1)}, tmp_path / 'a.pth')
    found = load_plain(tmp_path / 'a.pth')
    assert found['best'] == 1.0
    assert list(found['state_dict']) == list(network.state_dict())
    assert found['state_dict']._metadata == network.state_dict()._metadata


class Call:
    """Pickled as the call of a function."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


@pytest.mark.parametrize('save', [torch.save, old_format], ids=['zip', 'old'])
@pytest.mark.parametrize(
    'function, args',
    [
        (os.system, ('touch {}',)),
        (os.mkdir, ('{}',)),
        (eval, ("open('{}', 'w')",)),
        (exec, ("open('{}', 'w')",)),
        (open, ('{}', 'w')),
        (np.save, ('{}', 1)),
        (torch.save, (1, '{}')),
        (np.memmap, ('{}', 'u1', 'w+', 0, 3)),
        (__import__, ('antigravity',)),
    ],
    ids=lambda value: getattr(value, '__name__', ''),
)
def test_no_call_is_made_even_beside_what_is_known(tmp_path, save, function, args):
    mark = tmp_path / 'the code ran'
    args = [arg.format(mark) if isinstance(arg, str) else arg for arg in args]
    content = {'known': np.float64(1), 'history': HistoryBuffer([1.0], [1])}
    save(content | {'meta': Call(function, *args)}, tmp_path / 'evil.pth')
    with pytest.raises(UserError, match='evil.pth needs code to load'):
        load_plain(tmp_path / 'evil.pth')
    assert not list(tmp_path.glob('the code ran*'))


def test_a_method_is_never_found_by_its_name(through, tmp_path):
    """``getattr`` stands for nothing, so what it would find cannot be called either."""
    mark = tmp_path / 'the code ran'
    with pytest.raises(UserError, match='needs code to load'):
        through(Call(pathlib.Path.touch, mark))
    assert through(getattr, torch.save) is not getattr
    assert not mark.exists()


@pytest.mark.parametrize('kind', [[('a', 'i4')], 'V8', 'M8[ns]'], ids=str)
def test_arrays_of_what_are_no_numbers_are_refused(through, kind):
    with pytest.raises(UserError, match='no checkpoint, or a damaged one'):
        through(np.zeros(2, kind))
