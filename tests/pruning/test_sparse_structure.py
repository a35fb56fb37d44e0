"""Structures at zero go: blocks, neurons, groups."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import Surgeon
from rethink_det.architecture.blocks import last_layer, residual_blocks
from rethink_det.architecture.structure_scales import add_scales, scaled_layers
from rethink_det.pruning import SparseStructurePruner, prune, prune_state


def scaled(parents, network, kind, zero):
    """A network with scaling factors, as training leaves it; the factors of some layers at 0."""
    architecture, state = parents(network)
    model = architecture.network_with(state)
    add_scales(model.backbone, kind)
    factors = {name: layer.structure_scale for name, layer in scaled_layers(model).items()}
    for place, factor in enumerate(factors.values()):
        factor.copy_(torch.linspace(0.5, 1.5, factor.numel()).view_as(factor))
        if place in zero:
            factor.view(-1)[zero[place]] = 0
    model.architecture = architecture
    return model.eval(), list(factors)


def small_and_full(model, structures):
    images = torch.randn(2, *model.architecture.input_shape)
    result = prune(model, dict(type='SparseStructurePruner', structures=structures))
    small = result.architecture.build_network()
    small.load_state_dict(result.state_dict)
    with torch.no_grad():
        return result.architecture, (small.eval()(images) - model(images)).abs().max()


@pytest.mark.parametrize('network', ['cifar-resnet', 'preresnet', 'preact', 'resnet50'])
def test_blocks_at_zero_go_and_the_rest_computes_the_same(parents, network):
    model, layers = scaled(parents, network, 'block', {0: [0], 1: [0], 3: [0]})
    found, difference = small_and_full(model, 'block')
    assert difference <= 1e-4
    blocks = list(residual_blocks(model.backbone))
    assert found.removed_blocks == tuple(blocks[i] for i in (0, 1, 3))
    assert found.channels == {}
    assert len(layers) == len(blocks)


@pytest.mark.parametrize('network', ['cifar-resnet', 'preresnet', 'resnet50', 'vgg'])
def test_neurons_at_zero_go(parents, network):
    model, layers = scaled(parents, network, 'neuron', {0: [0, 3], 2: [1]})
    found, difference = small_and_full(model, 'neuron')
    assert difference <= 1e-4
    gone = [set(range(found.widths[n])) - set(kept) for n, kept in found.channels.items()]
    assert gone == [{0, 3}, {1}]


def test_groups_at_zero_go_whole(parents):
    model, layers = scaled(parents, 'resnext50', 'group', {0: [1], 5: [0, 3]})
    found, difference = small_and_full(model, ['group'])
    assert difference <= 1e-4
    assert [len(kept) for kept in found.channels.values()] == [12, 16]
    backbone = found.build()
    convs = (m for m in backbone.modules() if isinstance(m, torch.nn.Conv2d))
    grouped = [conv.groups for conv in convs if conv.groups > 1]
    assert grouped == [3, *[4] * 4, 2, *[4] * 10]


def test_blocks_and_neurons_at_once(parents):
    model, _ = scaled(parents, 'cifar-resnet', 'neuron', {0: [0], 1: [2, 3]})
    blocks = residual_blocks(model.backbone)
    for parameter in last_layer(blocks['layer1.0']).parameters():
        parameter.data.zero_()
    found, difference = small_and_full(model, ['block', 'neuron'])
    assert difference <= 1e-4
    assert found.removed_blocks == ('layer1.0',)
    assert list(found.channels) == ['layer1.1.conv1']


def test_nothing_at_zero_is_announced(parents):
    architecture, state = parents('cifar-resnet')
    with pytest.warns(UserWarning, match='No block is at zero.*StructureScaleHook'):
        result = prune_state(state, dict(type='SparseStructurePruner'), architecture)
    assert result.architecture == architecture


def test_a_dead_layer_keeps_one_neuron(parents):
    model, _ = scaled(parents, 'cifar-resnet', 'neuron', {0: list(range(16))})
    with pytest.warns(UserWarning, match='leave layer1.0.conv1 0 of its 16 channels; it keeps 1'):
        result = prune(model, dict(type='SparseStructurePruner', structures='neuron'))
    assert len(result.architecture.channels['layer1.0.conv1']) == 1


@pytest.mark.parametrize('structures', ['layer', [], ['block', 'channels']])
def test_an_unknown_structure_is_refused(parents, structures):
    architecture, state = parents('cifar-resnet')
    with pytest.raises(UserError, match='must be of block, neuron, group'):
        pruner = dict(type='SparseStructurePruner', structures=structures)
        prune_state(state, pruner, architecture)


def test_a_removed_block_can_be_removed_once(parents):
    model, _ = scaled(parents, 'preresnet', 'block', {0: [0]})
    once = prune(model, dict(type='SparseStructurePruner'))
    with pytest.warns(UserWarning, match='No block is at zero'):
        twice = prune_state(once.state_dict, dict(type='SparseStructurePruner'), once.architecture)
    assert twice.architecture == once.architecture


@pytest.mark.parametrize('structures', [None, 3, (), ['block', None], [['block']]], ids=str)
def test_structures_of_no_form_are_refused(structures):
    with pytest.raises(UserError, match='structures must be of block, neuron, group, got'):
        SparseStructurePruner(structures)


def test_fewest_channels_that_are_no_count_are_refused():
    with pytest.raises(UserError, match='SparseStructurePruner: min_channels must be .*got 0'):
        SparseStructurePruner(min_channels=0)


@pytest.mark.parametrize(
    'network, structures, has',
    [
        ('vgg', 'block', False),
        ('vgg', 'neuron', True),
        ('vgg', ['block', 'neuron'], True),
        ('cifar-resnet', 'block', True),
        ('cifar-resnet', 'group', False),
        ('resnext50', 'group', True),
    ],
)
def test_structures_that_a_network_has_not_are_refused_before_there_are_weights(
    parents, network, structures, has
):
    architecture, _ = parents(network)
    surgeon = Surgeon(architecture.skeleton(), architecture.input_shape, 'backbone.')
    pruner = SparseStructurePruner(structures)
    if has:
        return pruner.check(surgeon, architecture)
    with pytest.raises(UserError, match=f'removes {structures}s, and the network has none'):
        pruner.check(surgeon, architecture)
