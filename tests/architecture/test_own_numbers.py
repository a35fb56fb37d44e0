"""Numbers that a network keeps of its own: they become what is left of what they stand for."""

import numpy as np
import pytest
import torch
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import Cut, Surgeon
from rethink_det.architecture.initialization import fresh_weights
from rethink_det.architecture.module_widths import set_widths
from rethink_det.architecture.own_numbers import Demand, OwnNumber, solved

SHAPE = (3, 4, 4)


class Parts(nn.Module):
    """Says in its code where it splits, how wide a head is, and what it puts together again."""

    def __init__(self):
        super().__init__()
        self.width, self.sizes, self.heads, self.head = 6, [4, 2], 2, 3
        self.stem = nn.Conv2d(3, 6, 1)
        self.last = nn.Conv2d(6, 2, 1)

    def forward(self, x):
        one, other = self.stem(x).split(self.sizes, 1)
        together = torch.cat([one, other], 1)
        heads = together.view(1, self.heads, self.head, 4, 4).relu()
        return self.last(heads.reshape(1, self.heads * self.head, 4, 4)[:, : self.width])


def test_they_are_set_to_what_is_left():
    net = Parts()
    surgeon = Surgeon(net, SHAPE)
    Cut(channels={'stem': (0, 2, 3, 5)}, coupled=True).apply(surgeon)
    assert (net.width, net.sizes, net.heads, net.head) == (4, [3, 1], 2, 2)
    assert net(torch.zeros(1, *SHAPE)).shape == (1, 2, 4, 4)
    assert all(type(number) is int for number in (net.width, net.head, *net.sizes))


def test_what_is_no_whole_set_is_refused():
    with pytest.raises(UserError, match='stem would keep other channels'):
        Cut(channels={'stem': (0, 1, 2, 5)}, coupled=True).apply(Surgeon(Parts(), SHAPE))


class Asserting(nn.Module):
    """Says in an assertion how wide a constant is, and notes a size that it read."""

    def __init__(self):
        super().__init__()
        self.width = 12
        self.stem, self.last = nn.Conv2d(3, 6, 1), nn.Conv2d(6, 2, 1)
        self.register_buffer('angles', torch.ones(6))

    def forward(self, x):
        assert self.angles.numel() == self.width // 2
        self.seen = x.shape[1]
        return self.last(self.stem(x) * self.angles[:, None, None])


def test_what_a_network_asserts_of_them_stays_true():
    net = Asserting()
    Cut(channels={'stem': (0, 1, 4)}, coupled=True).apply(Surgeon(net, SHAPE))
    assert net.width == 6 and net(torch.zeros(1, *SHAPE)).shape == (1, 2, 4, 4)
    assert type(net.width) is int and type(net.seen) is int


def number(name, value):
    return OwnNumber(value, frozenset([('', name, None)]))


def test_computed_numbers_know_what_they_are_of():
    width, heads = number('width', 12), number('heads', 3)
    size = width // heads
    assert size == 4 and isinstance(size, int) and len(size.places) == 2
    assert size.given({('', 'width', None): 6}) == 2
    assert (2 * width + 1).given({('', 'width', None): 5}) == 11


@pytest.mark.parametrize(
    'make, left, expected',
    [
        (lambda w, h: [w], 7, {'width': 7}),
        (lambda w, h: [w * 2], 14, {'width': 7}),
        (lambda w, h: [w, w // h], 6, {'width': 6}),
        (lambda w, h: [w * h], 25, {}),
    ],
)
def test_attributes_are_found_from_what_is_demanded(make, left, expected):
    numbers = make(number('width', 12), number('heads', 3))
    nodes = np.arange(3)
    demands = [Demand(numbers[0], nodes), *(Demand(n, None) for n in numbers[1:])]
    found = solved(demands, lambda _: left)
    assert {name: value for (_, name, _), value in found.items() if value != 3} == expected


@pytest.mark.parametrize(
    'module, shape, attributes',
    [
        (nn.Conv2d(8, 8, 3, groups=8), (5, 1, 3, 3), {'groups': 5, 'in_channels': 5}),
        (nn.Conv2d(8, 8, 3, groups=2), (6, 3, 3, 3), {'groups': 2, 'in_channels': 6}),
        (nn.ConvTranspose2d(8, 6, 2), (4, 3, 2, 2), {'in_channels': 4, 'out_channels': 3}),
        (nn.Linear(8, 6), (4, 5), {'in_features': 5, 'out_features': 4}),
        (nn.BatchNorm2d(8), (5,), {'num_features': 5}),
        (nn.GroupNorm(2, 8), (6,), {'num_channels': 6}),
        (nn.LayerNorm(8), (5,), {'normalized_shape': (5,)}),
    ],
)
def test_modules_of_torch_say_the_widths_of_their_weights(module, shape, attributes):
    module.weight = nn.Parameter(torch.zeros(shape))
    set_widths(module)
    assert {name: getattr(module, name) for name in attributes} == attributes


class Angles(nn.Module):
    """Constants of its own, which it can compute anew at the width that it was built with."""

    def __init__(self):
        super().__init__()
        self.register_buffer('angles', torch.ones(6), persistent=False)

    def reset_parameters(self):
        self.angles.copy_(torch.ones(6))


def test_constants_that_were_cut_stay_so_when_weights_are_drawn():
    net = Asserting()
    net.rotary = Angles()
    net.rotary.angles = net.rotary.angles[:3]
    before = net.stem.weight.clone()
    fresh_weights(net)
    assert net.rotary.angles.shape == (3,) and not torch.equal(net.stem.weight, before)
