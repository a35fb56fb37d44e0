"""A layer that reads a selection computes what it computes with the other inputs at zero."""

from copy import deepcopy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rethink_det import UserError
from rethink_det.architecture.input_selection import (
    SelectingConv2d,
    SelectingLinear,
    in_width,
    select_inputs,
    selectable,
    zero_inputs,
)

WIDTH = 6
LAYERS = {
    'plain': lambda: nn.Conv2d(WIDTH, 4, 3),
    'strided': lambda: nn.Conv2d(WIDTH, 4, 3, stride=2, padding=1, bias=False),
    'dilated': lambda: nn.Conv2d(WIDTH, 4, (3, 1), dilation=2, padding='same'),
    'reflecting': lambda: nn.Conv2d(WIDTH, 4, 3, padding=1, padding_mode='reflect'),
}
CHOSEN = st.sets(st.integers(0, WIDTH - 1), min_size=1).map(sorted)


def both(layer: nn.Module, kept) -> tuple[nn.Module, nn.Module]:
    """The layer with its other inputs at zero, and as it selects the kept ones."""
    zeroed, selecting = nn.Sequential(layer), nn.Sequential(deepcopy(layer))
    zero_inputs(zeroed, '0', kept)
    select_inputs(selecting, '0', kept)
    return zeroed, selecting


@pytest.mark.parametrize('make', LAYERS.values(), ids=LAYERS)
@given(kept=CHOSEN)
def test_a_convolution_of_the_selected_is_one_of_all_with_the_others_at_zero(make, kept):
    zeroed, selecting = both(make(), kept)
    images = torch.randn(2, WIDTH, 7, 7)
    torch.testing.assert_close(selecting(images), zeroed(images))
    assert type(selecting[0]) is SelectingConv2d and in_width(selecting[0]) == len(kept)


@given(kept=CHOSEN)
def test_so_is_a_linear_layer(kept):
    zeroed, selecting = both(nn.Linear(WIDTH, 3), kept)
    values = torch.randn(5, WIDTH)
    torch.testing.assert_close(selecting(values), zeroed(values))
    assert type(selecting[0]) is SelectingLinear


@given(st.data())
def test_a_second_selection_is_among_the_first(data):
    first = data.draw(CHOSEN)
    places = data.draw(st.sets(st.integers(0, len(first) - 1), min_size=1).map(sorted))
    layer, images = nn.Conv2d(WIDTH, 4, 3), torch.randn(2, WIDTH, 5, 5)
    twice = nn.Sequential(deepcopy(layer))
    select_inputs(twice, '0', first)
    select_inputs(twice, '0', places)
    once = nn.Sequential(layer)
    select_inputs(once, '0', [first[place] for place in places])
    assert torch.equal(twice(images), once(images))


def test_what_trains_and_in_which_mode_stays():
    model = nn.Sequential(nn.Conv2d(WIDTH, 4, 3)).eval()
    model[0].weight.requires_grad_(False)
    select_inputs(model, '0', [0, 2])
    assert not model[0].weight.requires_grad and model[0].bias.requires_grad
    assert not model[0].training
    assert set(model.state_dict()) == {'0.weight', '0.bias'}  # the index is no weight


@pytest.mark.parametrize(
    'layer, kind',
    [
        (nn.Conv2d(4, 4, 3, groups=2), 'a Conv2d'),
        (nn.BatchNorm2d(4), 'a BatchNorm2d'),
        (nn.ConvTranspose2d(4, 4, 3), 'a ConvTranspose2d'),
    ],
)
def test_other_layers_cannot_select(layer, kind):
    with pytest.raises(UserError, match=f'Layer 0 cannot select its inputs: .* it is {kind}'):
        select_inputs(nn.Sequential(layer), '0', [0])
    with pytest.raises(UserError, match='Layer 1 cannot select its inputs: .* it is missing'):
        selectable(nn.Sequential(layer), '1')


@pytest.mark.parametrize('kept', [[], [2, 1], [0, 0], [-1, 0], [0, WIDTH], range(0), [True]])
def test_what_is_no_selection_is_refused_and_the_layer_stays(kept):
    model = nn.Sequential(nn.Linear(WIDTH, 3))
    with pytest.raises(UserError, match='Layer 0 would read'):
        select_inputs(model, '0', kept)
    assert type(model[0]) is nn.Linear
