"""Weight masks: packing loses nothing, applying removes exactly, nonsense is refused."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import weight_masks
from rethink_det.architecture.checkpoint import Checkpoint, save_checkpoint

shapes = st.lists(st.integers(0, 5), max_size=4).map(tuple)


def random_mask(shape, seed=0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.5


@given(st.dictionaries(st.text('abc.', min_size=1), shapes, max_size=3), st.integers(0, 99))
def test_unpacking_gives_back_what_was_packed_in_an_eighth_of_the_bytes(named, seed):
    masks = {name: random_mask(shape, seed) for name, shape in named.items()}
    packed = weight_masks.pack(masks)
    again = weight_masks.unpack(packed)
    assert list(again) == list(masks)
    for name, mask in masks.items():
        assert again[name].dtype == torch.bool and torch.equal(again[name], mask)
        assert packed[name]['bits'].numel() == (mask.numel() + 7) // 8
        assert packed[name]['bits'].element_size() == 1
    assert weight_masks.digest(again) == weight_masks.digest(masks)


def test_packed_masks_survive_a_checkpoint(tmp_path):
    masks = {'backbone.conv1.weight': random_mask((3, 2, 3, 3)), 'fc.weight': random_mask((5, 7))}
    save_checkpoint({'masks': weight_masks.pack(masks)}, tmp_path / 'pruned.pth')
    again = Checkpoint.read(tmp_path / 'pruned.pth').masks
    assert weight_masks.digest(again) == weight_masks.digest(masks)


def test_the_digest_tells_names_shapes_and_bits_apart():
    mask = torch.tensor([[True, False], [True, True]])
    flipped = mask.clone()
    flipped[0, 1] = True
    different = [{'a': mask}, {'b': mask}, {'a': flipped}, {'a': mask.flatten()}, {}]
    assert len({weight_masks.digest(masks) for masks in different}) == len(different)
    two = {'a': mask, 'b': flipped}
    assert weight_masks.digest(two) == weight_masks.digest(dict(reversed(two.items())))
    assert len(weight_masks.digest(two)) == 16


def test_removed_weights_are_exactly_zero_and_the_others_untouched():
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Linear(2, 2))
    before = model[0].weight.detach().clone()
    with torch.no_grad():
        model[0].weight[0, 0, 0, 0] = float('nan')
    mask = random_mask(before.shape)
    mask[0, 0, 0, 0] = False
    weight_masks.apply(model, {'0.weight': mask})
    assert torch.equal(model[0].weight, torch.where(mask, before, 0.0))
    assert not model[0].weight[~mask].signbit().any()
    state = {'0.weight': before.clone()}
    weight_masks.apply(state, {'0.weight': mask})
    assert torch.equal(state['0.weight'], model[0].weight)


def test_how_many_are_kept():
    masks = {'a': torch.tensor([True, False, True]), 'b': torch.zeros(2, 2, dtype=torch.bool)}
    assert weight_masks.weights_kept(masks) == {'a': 2, 'b': 0}
    assert weight_masks.describe(masks) == {
        'digest': weight_masks.digest(masks),
        'kept': {'a': 2, 'b': 0},
    }


@pytest.mark.parametrize(
    'name, shape, message',
    [
        ('2.weight', (1,), 'has no parameter 2.weight'),
        ('0.weight', (3, 2, 1, 1), r'0.weight is \(3, 2, 1, 1\) there, \(3, 2, 3, 3\) here'),
    ],
)
def test_masks_of_another_network_change_nothing(name, shape, message):
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Linear(2, 2))
    before = model[1].weight.detach().clone()
    masks = {'1.weight': torch.zeros(2, 2, dtype=torch.bool), name: torch.ones(shape).bool()}
    with pytest.raises(UserError, match=message):
        weight_masks.apply(model, masks)
    assert torch.equal(model[1].weight, before)


@pytest.mark.parametrize(
    'damaged',
    [
        3,
        {'a': None},
        {'a': {'shape': [2]}},
        {'a': {'shape': 'no', 'bits': torch.zeros(1, dtype=torch.uint8)}},
        {'a': {'shape': [-2], 'bits': torch.zeros(1, dtype=torch.uint8)}},
        {'a': {'shape': [True], 'bits': torch.zeros(1, dtype=torch.uint8)}},
        {'a': {'shape': [9], 'bits': torch.zeros(1, dtype=torch.uint8)}},
        {'a': {'shape': [9], 'bits': torch.zeros(3, dtype=torch.uint8)}},
        {'a': {'shape': [9], 'bits': torch.zeros(2)}},
        {'a': {'shape': [9], 'bits': b'xx'}},
    ],
)
def test_damaged_masks_are_refused_by_name(damaged):
    match = 'by parameter' if damaged == 3 else 'The mask of a is damaged'
    with pytest.raises(UserError, match=match):
        weight_masks.unpack(damaged)
    with pytest.raises(UserError, match=f'some.pth: .*{match}'):
        Checkpoint.from_dict({'masks': damaged}, 'some.pth')
