"""How far weights fill a network is counted, and said."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rethink_det import UserError
from rethink_det.architecture.fitting import fit, load_exactly


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))


NAMES = [n for n in network().state_dict() if not n.endswith('num_batches_tracked')]


@given(
    gone=st.sets(st.sampled_from(NAMES)),
    odd=st.sets(st.sampled_from(NAMES)),
    more=st.sets(st.sampled_from(['a', 'b.c', 'd'])),
)
def test_every_tensor_is_counted_once(gone, odd, more):
    state = {n: t for n, t in network().state_dict().items() if n not in gone}
    state |= {n: torch.zeros(7, 7) for n in odd - gone} | {n: torch.zeros(1) for n in more}
    found = fit(network(), state)
    assert set(found.missing) == gone and set(found.unexpected) == more
    assert {name for name, _, _ in found.reshaped} == odd - gone
    assert found.filled == len(NAMES) - len(gone | odd)
    assert found.complete == (not gone | odd)
    assert f'it has {found.filled} of the {len(NAMES)} tensors of the model' in str(found)


def test_the_first_of_each_kind_are_named():
    state = {'2.weight': torch.zeros(80, 4, 1, 1), 'x': torch.zeros(1)}
    assert str(fit(network(), state)) == (
        'it has 0 of the 8 tensors of the model; of another shape: 2.weight is (80, 4, 1, 1) '
        'there, (2, 4, 1, 1) here; it has no 0.weight, 0.bias, 1.weight and 4 more; no tensors of '
        'the model are x'
    )


class Renaming(nn.Linear):
    """Takes ``kernel`` of its older versions for its weight."""

    def _load_from_state_dict(self, state, prefix, *args):
        if f'{prefix}kernel' in state:
            state[f'{prefix}weight'] = state.pop(f'{prefix}kernel')
        super()._load_from_state_dict(state, prefix, *args)


def test_what_a_module_renames_is_there():
    old = {'0.kernel': torch.ones(2, 2), '0.bias': torch.ones(2)}
    model = nn.Sequential(Renaming(2, 2))
    before = model[0].weight.clone()
    assert fit(model, old).complete
    assert torch.equal(model[0].weight, before), 'nothing is loaded'


def test_load_exactly_refuses_what_fits_in_part():
    state = {n: t for n, t in network().state_dict().items() if n != '2.bias'}
    with pytest.raises(UserError, match='has no 2.bias'):
        load_exactly(network(), state)
