"""Factors on structures: where they sit, and that folding them away changes nothing."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torchvision.models import resnet18, resnext50_32x4d

from rethink_det import UserError
from rethink_det.architecture.structure_scales import (
    SCALE,
    add_scales,
    fold_scales,
    scaled_layers,
    structures,
)
from rethink_det.registry import MODELS


def tiny(name='CifarResNet', **settings):
    return MODELS.build(dict(type=f'rethink_det.{name}', **settings))


class Grouped(nn.Module):
    """A residual block with a grouped convolution, and a grouped one without BatchNorm."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.bn2 = nn.BatchNorm2d(8)
        self.conv3 = nn.Conv2d(8, 3, 1)
        self.bn3 = nn.BatchNorm2d(3)
        self.downsample = nn.Conv2d(3, 3, 1, groups=3)

    def forward(self, x):
        out = self.bn1(self.conv1(x)).relu()
        out = self.bn2(self.conv2(out)).relu()
        return self.bn3(self.conv3(out)) + self.downsample(x)


def lively(model, unsettle):
    """Evaluation mode, and factors that are anything but 1."""
    torch.manual_seed(3)
    for layer in scaled_layers(model).values():
        getattr(layer, SCALE).uniform_(-1, 1)
    return unsettle(model).eval()


@pytest.mark.parametrize(
    'make, kind',
    [
        (lambda: tiny(depth=8, base_channels=4), 'block'),
        (lambda: tiny(depth=8, base_channels=4), 'neuron'),
        (resnet18, 'block'),
        (resnet18, 'neuron'),
        (Grouped, 'block'),
        (Grouped, 'neuron'),
        (Grouped, 'group'),
    ],
)
def test_the_folded_network_computes_the_same(make, kind, unsettle):
    model = make()
    plain = deepcopy(model)
    add_scales(model, kind)
    lively(model, unsettle)
    images = torch.randn(2, 3, 32, 32)
    state, scales = fold_scales(model.state_dict())
    plain.load_state_dict(state)  # strictly: nothing else is left
    with torch.no_grad():
        expected = model(images)
        found = plain.eval()(images)
    expected, found = (x if isinstance(x, torch.Tensor) else x[-1] for x in (expected, found))
    assert torch.allclose(found, expected, atol=1e-5)
    assert set(scales) == set(scaled_layers(model)) == set(structures(plain, kind))


def test_a_factor_of_zero_leaves_the_shortcut_alone(unsettle):
    model = tiny(depth=8, base_channels=4)
    add_scales(model, 'block')
    lively(model, unsettle)
    block = model.layer2[0]
    getattr(block.bn2, SCALE).zero_()
    x = torch.randn(2, 4, 8, 8)
    assert torch.equal(block(x), block.without_residual()(x))


def test_neurons_are_those_that_no_stream_reads():
    assert structures(tiny(depth=8), 'neuron') == {
        f'layer{stage}.0.bn1': f'layer{stage}.0.conv1' for stage in (1, 2, 3)
    }
    found = structures(tiny('PreResNet', depth=11), 'neuron')
    assert found['layer1.0.bn2'] == 'layer1.0.conv1'
    assert found['layer1.0.bn3'] == 'layer1.0.conv2'
    assert len(found) == 6
    found = structures(resnet18(), 'neuron')
    assert len(found) == 8 and not any('downsample' in name for name in found)
    assert len(structures(tiny('VGG', depth=11), 'neuron')) == 8


def test_groups_are_those_of_grouped_convolutions():
    found = structures(resnext50_32x4d(), 'group')
    assert len(found) == 16 and found['layer1.0.bn2'] == 'layer1.0.conv2'
    assert structures(Grouped(), 'group') == {'bn2': 'conv2', 'downsample': 'downsample'}


def test_shapes_of_the_factors():
    shapes = {}
    for kind in ('block', 'neuron', 'group'):
        model = Grouped()
        add_scales(model, kind)
        layers = scaled_layers(model)
        shapes[kind] = {n: tuple(getattr(m, SCALE).shape) for n, m in layers.items()}
    assert shapes == {
        'block': {'bn3': ()},
        'neuron': {'bn1': (8,), 'bn2': (8,)},
        'group': {'bn2': (4,), 'downsample': (3,)},
    }


def test_a_second_time_nothing_is_added_and_a_copy_is_its_own(unsettle):
    model = tiny(depth=8, base_channels=4)
    add_scales(model, 'block')
    lively(model, unsettle)
    before = {name: getattr(m, SCALE).clone() for name, m in scaled_layers(model).items()}
    add_scales(model, 'block')
    for name, layer in scaled_layers(model).items():
        assert len(layer._forward_hooks) == 1
        assert torch.equal(getattr(layer, SCALE), before[name])
    copy, images = deepcopy(model), torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        expected = model(images)[-1]
        for layer in scaled_layers(copy).values():
            getattr(layer, SCALE).zero_()
        assert torch.equal(model(images)[-1], expected)
        assert not torch.equal(copy(images)[-1], expected)


def test_the_precision_of_the_output_stays():
    layer = nn.Sequential(nn.Conv2d(3, 4, 1, groups=1), nn.BatchNorm2d(4))
    add_scales(layer, 'neuron')
    half = torch.randn(2, 3, 4, 4, dtype=torch.bfloat16)
    assert layer.bfloat16()(half).dtype == torch.bfloat16


def test_frozen_blocks_get_no_factor():
    model = resnet18()
    model.layer1.requires_grad_(False)
    add_scales(model, 'block')
    assert not any(name.startswith('layer1') for name in scaled_layers(model))
    assert len(scaled_layers(model)) == 6
    with pytest.raises(UserError, match="All structures of the kind 'block' are frozen"):
        add_scales(resnet18().requires_grad_(False), 'block')


@pytest.mark.parametrize(
    'kind, message',
    [('filter', 'must be one of'), ('group', "CifarResNet has no structures of the kind 'group'")],
)
def test_structures_that_do_not_exist_are_refused(kind, message):
    with pytest.raises(UserError, match=message):
        structures(tiny(depth=8), kind)


def test_factors_without_their_weight_are_refused():
    with pytest.raises(UserError, match=r'has no a\.weight'):
        fold_scales({f'a.{SCALE}': torch.ones(())})
