"""VGG: its stages, and the variants of the pruning literature."""

import pytest
import torch
from torch import nn

from rethink_det import UserError
from rethink_det.classification import VGG


def names(network: VGG, kind: type) -> list[int]:
    return [index for index, layer in enumerate(network.features) if isinstance(layer, kind)]


@pytest.mark.parametrize('depth', [11, 13, 16, 19])
def test_depth_counts_the_layers_with_weights(depth):
    network = VGG(depth, base_channels=2)
    assert len(names(network, nn.Conv2d)) + 3 == depth


@pytest.mark.parametrize('norm', [True, False])
def test_five_stages_end_with_their_pools(norm):
    maps = VGG(16, norm, base_channels=2)(torch.randn(2, 3, 64, 32))
    assert [m.shape for m in maps] == [
        (2, 2, 32, 16), (2, 4, 16, 8), (2, 8, 8, 4), (2, 16, 4, 2), (2, 16, 2, 1)
    ]  # fmt: skip


def test_without_the_last_pool_the_last_two_stages_have_one_size():
    network = VGG(19, last_pool=False, base_channels=2)
    maps = network(torch.randn(2, 3, 32, 32))
    assert [m.shape[1:] for m in maps[3:]] == [(16, 2, 2), (16, 2, 2)]
    assert len(names(network, nn.MaxPool2d)) == 4


def test_layers_are_numbered_with_their_norms():
    normed = VGG(16, conv_bias=False, last_pool=False, base_channels=2)
    assert names(normed, nn.Conv2d) == [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40]
    plain = VGG(16, norm=False, base_channels=2)
    assert names(plain, nn.Conv2d) == [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
    assert not names(plain, nn.BatchNorm2d)


@pytest.mark.parametrize('bias', [True, False])
def test_a_bias_is_an_option(bias):
    network = VGG(11, conv_bias=bias, base_channels=2)
    for index in names(network, nn.Conv2d):
        assert (network.features[index].bias is not None) == bias


@pytest.mark.parametrize('init, axis', [('fan_in', 1), ('fan_out', 0)])
def test_the_fan_is_an_option(init, axis):
    torch.manual_seed(0)
    network = VGG(11, init=init, base_channels=32)
    network.init_weights()
    for index in names(network, nn.Conv2d)[1:3]:  # twice as wide as what they read
        weight = network.features[index].weight
        expected = (2 / (9 * weight.shape[axis])) ** 0.5
        assert weight.std().item() == pytest.approx(expected, rel=0.05)
        assert not network.features[index].bias.any()


def test_a_hook_sees_what_a_convolution_put_out():
    network, seen = VGG(11, norm=False, base_channels=2), []
    network.features[0].register_forward_hook(lambda module, inputs, out: seen.append(out))
    network(torch.randn(1, 3, 32, 32))
    assert seen[0].min() < 0


@pytest.mark.parametrize('depth', [12, 0, 56, '16'])
def test_another_depth_is_refused(depth):
    with pytest.raises(UserError, match=rf'one of \(11, 13, 16, 19\), got {depth}'):
        VGG(depth)


def test_an_unknown_fan_is_refused():
    with pytest.raises(UserError, match=r"one of \('fan_out', 'fan_in'\), got 'fan_average'"):
        VGG(11, init='fan_average')


@pytest.mark.parametrize('width', [0, -4, 1.5, '8'])
def test_a_width_that_is_no_count_is_refused(width):
    with pytest.raises(UserError, match='base_channels must be a whole number of at least 1, got'):
        VGG(11, base_channels=width)
