"""Weights of a training that diverged are known, and no file of them is read or written."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.finite import check_finite, first_not_finite
from rethink_det.convert import convert_checkpoint
from rethink_det.errors import UserError
from tests.checkpoints import checkpoint

TRAINED = st.sampled_from(['a.weight', 'b.bias', 'bn.running_mean', 'bn.running_var'])


@given(TRAINED, st.sampled_from([float('nan'), float('inf'), -float('inf')]), st.integers(0, 5))
def test_one_value_of_a_trained_tensor_is_enough(name, value, place):
    tensor = torch.ones(6)
    tensor[place] = value
    assert first_not_finite({'first.weight': torch.zeros(2), name: tensor}) == name
    with pytest.raises(UserError, match=f'file.pth: {name} is not finite, .* diverged'):
        check_finite({name: tensor.half()}, 'file.pth')


@pytest.mark.parametrize('value', [1.0, float('-inf')])
def test_masks_of_infinite_values_are_no_divergence(tmp_path, value):
    weights = {'a.mask': torch.full((2,), value), 'a.count': torch.tensor(3)}
    checkpoint(weights).write(tmp_path / 'epoch_1.pth')
    assert set(Checkpoint.read(tmp_path / 'epoch_1.pth').state_dict) == set(weights)


def test_nan_is_one_wherever_it_stands():
    assert first_not_finite({'a.mask': torch.tensor([float('nan')]), 'n': 3}) == 'a.mask'
    assert first_not_finite({'a.weight': torch.ones(2).to_sparse(), 'b.weight': 'text'}) is None


def test_no_file_of_them_is_read_converted_or_written(tmp_path):
    bad = {'conv1.weight': torch.full((4, 3, 3, 3), float('nan'))}
    torch.save(bad, tmp_path / 'bad.pth')
    for read in (Checkpoint.read, convert_checkpoint):
        with pytest.raises(UserError, match='bad.pth: conv1.weight is not finite'):
            read(tmp_path / 'bad.pth')
    with pytest.raises(UserError, match='new.pth: conv1.weight is not finite'):
        checkpoint(bad).write(tmp_path / 'new.pth')
    assert not (tmp_path / 'new.pth').exists()
