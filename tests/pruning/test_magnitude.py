"""Unstructured magnitude pruning: one threshold over all weights of all convolutions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.pruning import MagnitudePruner, prune_state
from rethink_det.pruning.ranking import largest


def masks(weights, **settings):
    tensors = {name: torch.tensor(values, dtype=torch.float) for name, values in weights.items()}
    found = MagnitudePruner(**settings).masks(tensors)
    return {name: mask.int().tolist() for name, mask in found.items()}


def test_the_threshold_is_global():
    weights = {'a': [0.1, -0.9, 0.2], 'b': [5.0, -6.0, 0.3]}
    assert masks(weights, ratio=0.5) == {'a': [0, 1, 0], 'b': [1, 1, 0]}


@pytest.mark.parametrize(
    'ratio, plain, strict',
    [
        (0.0, [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]),
        (0.2, [1, 0, 1, 1, 1], [0, 0, 1, 0, 0]),  # entry 1 of 1 2 2 2 3 is a 2: all twos go
        (0.4, [1, 0, 1, 1, 0], [0, 0, 1, 0, 0]),  # of equals the later goes
        (0.6, [1, 0, 1, 0, 0], [0, 0, 1, 0, 0]),
    ],
)
def test_ties_and_the_threshold_of_the_reference(ratio, plain, strict):
    values = {'a': [2.0, 1.0, -3.0, 2.0, -2.0]}
    assert masks(values, ratio=ratio)['a'] == plain
    assert masks(values, ratio=ratio, strictly_above=True)['a'] == strict


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=40),
    st.floats(0, 1, exclude_max=True),
)
def test_exactly_so_many_go_and_they_are_the_smallest(values, ratio):
    tensor = torch.tensor(values, dtype=torch.float)
    kept = largest(tensor, ratio)
    assert (~kept).sum() == int(len(values) * ratio)
    if kept.any() and not kept.all():
        assert tensor[kept].min() >= tensor[~kept].max()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.floats(0, 1, exclude_max=True))
def test_the_reference_threshold_removes_at_least_one_more(values, ratio):
    tensor = torch.tensor(values, dtype=torch.float)
    count = int(len(values) * ratio)
    removed = (~largest(tensor, ratio, strictly_above=True)).sum()
    assert removed >= count + 1 if count else removed == 0


def test_an_emptied_layer_keeps_its_largest_weight_and_says_so():
    weights = {'small.weight': [0.1, -0.2, 0.1], 'large.weight': [3.0, 4.0, 5.0]}
    with pytest.warns(UserWarning, match='leave small.weight 0 of its 3 weights; it keeps 1'):
        found = masks(weights, ratio=0.5)
    assert found == {'small.weight': [0, 1, 0], 'large.weight': [1, 1, 1]}


def test_all_convolutions_take_part_and_nothing_else(parents):
    architecture, state = parents('resnet50')
    result = prune_state(state, dict(type='MagnitudePruner', ratio=0.3), architecture)
    convs = {n for n, t in state.items() if t.dim() == 4}
    assert set(result.masks) == convs
    total = sum(state[name].numel() for name in convs)
    removed = sum(int((~mask).sum()) for mask in result.masks.values())
    assert removed == int(total * 0.3)
    for name, tensor in result.state_dict.items():
        if name in convs:
            assert torch.equal(tensor, state[name] * result.masks[name])
        else:
            assert torch.equal(tensor, state[name])
    cost = result.architecture.cost()
    assert architecture.cost().params - cost.params == removed
    assert cost.macs < architecture.cost().macs


def test_costs_count_the_weights_that_are_left(cifar):
    base = cifar()
    layer = 'backbone.layer1.0.conv1.weight'
    mask = torch.zeros(4, 4, 3, 3, dtype=torch.bool)
    mask[0] = True
    masked = base.after(Cut(masks={layer: mask}))
    assert masked.masks['kept'] == {layer: 36}
    assert base.cost().params - masked.cost().params == 108
    assert base.cost().macs_conv - masked.cost().macs_conv == 108 * 16 * 16
    assert base.cost().macs_linear == masked.cost().macs_linear


def test_again_the_ratio_counts_what_is_left(parents):
    architecture, state = parents('cifar-resnet')
    pruner = dict(type='MagnitudePruner', ratio=0.5)
    once = prune_state(state, pruner, architecture)
    twice = prune_state(once.state_dict, pruner, once.architecture)
    left = sum(int(mask.sum()) for mask in once.masks.values())
    assert sum(int(mask.sum()) for mask in twice.masks.values()) == left - int(left * 0.5)
    for name, mask in twice.masks.items():
        assert not (mask & ~once.masks[name]).any()
    assert twice.architecture.inherit(state, twice.masks).keys() == state.keys()


def test_channels_of_a_masked_network_are_not_cut(parents):
    architecture, state = parents('cifar-resnet')
    once = prune_state(state, dict(type='MagnitudePruner', ratio=0.5), architecture)
    with pytest.raises(UserError, match='weight masks cannot lose channels'):
        prune_state(once.state_dict, dict(type='L1NormPruner', ratios=0.5), once.architecture)


def test_masks_of_another_network_are_not_inherited(parents):
    architecture, state = parents('cifar-resnet')
    found = [
        prune_state(state, dict(type='MagnitudePruner', ratio=ratio), architecture)
        for ratio in (0.3, 0.5)
    ]
    with pytest.raises(UserError, match='has the weight masks'):
        found[0].architecture.inherit(state, found[1].masks)
    with pytest.raises(UserError, match='got none'):
        found[0].architecture.inherit(state)


@pytest.mark.parametrize('fewest', [-1, 0.5, None])
def test_fewest_weights_that_are_no_count_are_refused(fewest):
    with pytest.raises(UserError, match='MagnitudePruner: min_weights must be .* at least 0, got'):
        MagnitudePruner(0.5, min_weights=fewest)


def test_a_network_without_convolution_is_refused():
    surgeon = Surgeon(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), (3, 2, 2))
    with pytest.raises(UserError, match='MagnitudePruner: the network has no convolution'):
        MagnitudePruner(0.5).find(surgeon, PrunedArchitecture.load('resnet56-a'), None)
