"""A model is as it was after it was traced, whatever happens in between."""

import pytest
import torch
from torch import nn

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.architecture.network import build_backbone
from rethink_det.architecture.tracing import evaluating, one_image_will_do, place_in, traceable


def state_of(model):
    modes = {name: module.training for name, module in model.named_modules()}
    return modes, {name: p.requires_grad for name, p in model.named_parameters()}


@pytest.fixture
def frozen():
    settings = dict(frozen_stages=1, norm_eval=True, with_cp=True)
    model = build_backbone(dict(type='mmdet.ResNet', depth=18, base_channels=8, **settings))
    model.train()
    model.layer3.eval()
    return model


@pytest.mark.parametrize('context', [evaluating, traceable])
def test_modes_and_frozen_parameters_come_back_even_after_an_error(frozen, context):
    before = state_of(frozen)
    assert len(set(before[0].values())) == len(set(before[1].values())) == 2
    with context(frozen):
        assert not any(module.training for module in frozen.modules())
    assert state_of(frozen) == before
    with pytest.raises(KeyError, match='inside'), context(frozen):
        raise KeyError('inside')
    assert state_of(frozen) == before


def test_in_between_gradients_reach_every_parameter_and_nothing_is_computed_twice(frozen):
    with traceable(frozen):
        assert frozen.eval() is frozen
        assert not any(getattr(module, 'with_cp', False) for module in frozen.modules())
        sum(feature.sum() for feature in frozen(torch.randn(1, 3, 32, 32))).backward()
        assert all(parameter.grad is not None for parameter in frozen.parameters())
    assert all(block.with_cp for block in frozen.layer1)
    assert 'eval' not in vars(frozen)


def test_the_place_is_that_of_the_module_that_failed():
    class Broken(nn.Module):
        def forward(self, x):
            raise RuntimeError('broken')

    model = nn.Sequential(nn.Identity(), nn.Sequential(nn.Identity(), Broken()))
    with pytest.raises(RuntimeError, match='broken'), place_in(model) as place:
        model(torch.zeros(1))
    assert place == ['1', '1.1']
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in model.modules())


def test_a_norm_without_statistics_looks_at_one_image():
    norm = nn.BatchNorm2d(4, track_running_stats=False).eval()
    pixel = torch.randn(1, 4, 1, 1)
    with one_image_will_do(norm):
        assert norm(pixel).shape == pixel.shape
    assert norm.running_mean is None and norm.running_var is None
    with pytest.raises(ValueError, match='Expected more than 1 value per channel'):
        norm(pixel)


def test_a_network_of_them_is_counted_and_cut():
    norm = dict(type='BN', track_running_stats=False)
    backbone = dict(type='mmdet.ResNet', depth=18, base_channels=8, norm_cfg=norm)
    head = dict(type='rethink_det.LinearHead', num_classes=4)
    whole = PrunedArchitecture(backbone, head, (3, 32, 32))  # the last map is one pixel
    small = whole.after(Cut(channels={'layer1.0.conv1': (0, 2)}))
    assert small.cost().macs < whole.cost().macs
    network = small.build_network()
    assert network.backbone.layer1[0].bn1.num_features == 2
    assert network(torch.randn(4, 3, 32, 32)).shape == (4, 4)
