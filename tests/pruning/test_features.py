"""Samples of what layers read and put out."""

import pytest
import torch
from torch import nn

from rethink_det import UserError
from rethink_det.architecture.blocks import last_layer, residual_blocks, shortcut
from rethink_det.architecture.input_selection import SelectingConv2d, SelectingLinear
from rethink_det.pruning.features import LayerSampler, Probe, channel_weights, set_channel_weights

CONVOLUTIONS = [
    dict(kernel_size=1),
    dict(kernel_size=3, padding=1),
    dict(kernel_size=3, stride=2, padding=1, bias=False),
    dict(kernel_size=(1, 3), stride=(2, 1), padding=(2, 0)),
    dict(kernel_size=3, dilation=2, padding=2),
    dict(kernel_size=(5, 2), padding='same', dilation=(1, 3)),
    dict(kernel_size=3, padding='valid'),
    dict(kernel_size=3, padding=2, padding_mode='reflect', stride=3),
]


def each(channels: int) -> torch.Tensor:
    return torch.arange(channels)[:, None]


@torch.no_grad()
def look(layer, images, columns, locations=7, seed=0):
    probe = Probe('it', layer, columns)
    return LayerSampler(layer, images, locations, seed).look([probe])['it']


def explained(layer, samples, columns):
    bias = 0 if layer.bias is None else layer.bias
    return torch.einsum('ncf,ocf->no', samples.inputs, channel_weights(layer, columns)) + bias


@pytest.mark.filterwarnings('ignore:Using padding=.same.')  # of an even kernel: that is meant
@pytest.mark.parametrize('settings', CONVOLUTIONS, ids=str)
def test_inputs_times_weights_are_the_outputs_of_a_convolution(settings):
    torch.manual_seed(0)
    conv, images = nn.Conv2d(4, 5, **settings), torch.randn(6, 4, 9, 11)
    columns = torch.tensor([2, 0, 3, 1])[:, None]
    samples = look(conv, images, columns)
    assert samples.outputs.shape == (6 * 7, 5) and not len(samples.shortcut)
    torch.testing.assert_close(explained(conv, samples, columns), samples.outputs)


def test_the_outputs_are_the_layers_own_at_different_places():
    conv, images = nn.Conv2d(2, 3, 3, stride=2), torch.randn(2, 2, 9, 7)
    samples = look(conv, images, each(2), locations=99)
    everywhere = conv(images).permute(0, 2, 3, 1).flatten(0, 2)
    assert samples.outputs.shape == everywhere.shape
    order, expected = samples.outputs[:, 0].argsort(), everywhere[:, 0].argsort()
    torch.testing.assert_close(samples.outputs[order], everywhere[expected])


@pytest.mark.parametrize('shape', [(12,), (4, 12)])
def test_a_linear_layer_reads_several_cells_of_each_channel(shape):
    linear, values = nn.Linear(12, 5), torch.randn(6, *shape)
    columns = torch.arange(12).view(3, 4).flip(0)
    with torch.no_grad():
        found = LayerSampler(linear, values, 2, 0).look([Probe('it', linear, columns)])['it']
    assert found.inputs.shape == (6 * min(2, len(shape)), 3, 4)
    torch.testing.assert_close(explained(linear, found, columns), found.outputs)


def test_layers_that_select_are_sampled_through_their_selection():
    index = torch.tensor([0, 2, 5])
    conv = SelectingConv2d(nn.Conv2d(6, 4, 3, padding=1), index)
    samples = look(conv, torch.randn(3, 6, 5, 5), each(3))
    torch.testing.assert_close(explained(conv, samples, each(3)), samples.outputs)
    linear = SelectingLinear(nn.Linear(6, 4), index)
    samples = look(linear, torch.randn(3, 6), each(3))
    torch.testing.assert_close(explained(linear, samples, each(3)), samples.outputs)


def test_some_columns_leave_the_others_out():
    conv, images = nn.Conv2d(5, 4, 3), torch.randn(3, 5, 6, 6)
    part, rest = look(conv, images, each(5)[1:3]), look(conv, images, each(5)[[0, 3, 4]])
    both = explained(conv, part, each(5)[1:3]) + explained(conv, rest, each(5)[[0, 3, 4]])
    torch.testing.assert_close(both, part.outputs + conv.bias)


@torch.no_grad()
def test_places_depend_on_seed_and_name_alone():
    first, second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1)
    network, images = nn.Sequential(first, nn.ReLU(), second), torch.randn(4, 3, 20, 20)

    def outputs(seed, *probes):
        return LayerSampler(network, images, 5, seed).look(probes)

    alone = outputs(1, Probe('b', second))['b'].outputs
    torch.rand(3)
    together = outputs(1, Probe('a', first), Probe('b', second, each(4)))
    assert torch.equal(alone, together['b'].outputs)
    assert not torch.equal(alone, outputs(2, Probe('b', second))['b'].outputs)
    assert not torch.equal(alone, outputs(1, Probe('c', second))['c'].outputs)


def test_nothing_runs_behind_the_last_layer_and_nothing_stays_attached():
    class Trap(nn.Module):
        def forward(self, x):
            raise AssertionError('ran on')

    conv = nn.Conv2d(3, 4, 1)
    sampler = LayerSampler(nn.Sequential(conv, Trap()), torch.randn(300, 3, 2, 2), 1, 0)
    with torch.no_grad():
        assert sampler.look([]) == {}
        assert len(sampler.look([Probe('a', conv)])['a'].outputs) == 300
        with pytest.raises(AssertionError, match='ran on'):
            sampler.network(torch.randn(1, 3, 2, 2))
    assert not conv._forward_hooks


@torch.no_grad()
@pytest.mark.parametrize('name', ['cifar-resnet', 'preresnet', 'resnet50'])
def test_the_shortcut_is_what_a_block_adds(parents, name):
    architecture, state = parents(name)
    network = architecture.network_with(state).eval()
    blocks = list(residual_blocks(network).values())
    probes = [Probe(str(i), last_layer(block), block=block) for i, block in enumerate(blocks)]
    projections = [Probe('p', b.downsample) for b in blocks[:1] if name == 'preresnet']
    read = {}
    for block in blocks:
        block.register_forward_hook(lambda block, x, _: read.update({block: x[0]}))
    images = torch.randn(2, *architecture.input_shape)
    found = LayerSampler(network, images, 10**4, 0).look([*probes, *projections])
    network(images)
    for probe in probes:
        added = shortcut(probe.block, read[probe.block]).transpose(0, 1).flatten(1)
        samples = found[probe.name].shortcut
        torch.testing.assert_close(samples.sum(0), added.sum(1), rtol=1e-3, atol=1e-3)


def test_weights_come_back_where_they_were_taken():
    conv, linear = nn.Conv2d(4, 3, 2), nn.Linear(6, 5)
    for layer, columns in ((conv, each(4)[[3, 1]]), (linear, torch.tensor([[0, 4], [5, 2]]))):
        before = layer.weight.detach().clone()
        set_channel_weights(layer, columns, channel_weights(layer, columns) * 2)
        changed = (layer.weight != before).flatten(2).any(2) if before.dim() > 2 else None
        changed = layer.weight != before if changed is None else changed
        assert sorted(columns.flatten().tolist()) == changed.any(0).nonzero().flatten().tolist()
        set_channel_weights(layer, columns, channel_weights(layer, columns) / 2)
        assert torch.equal(layer.weight, before)


def test_a_grouped_convolution_is_refused():
    with pytest.raises(UserError, match='it is a grouped convolution'):
        look(nn.Conv2d(4, 4, 3, groups=2), torch.randn(1, 4, 5, 5), each(4))
