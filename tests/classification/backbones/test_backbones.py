"""What holds for every backbone: its initial weights, its graph, its surgery, its device."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.architecture.network import build_backbone, feature_widths

SHAPE = (3, 32, 32)
HEAD = dict(type='rethink_det.LinearHead', num_classes=3)


def net(kind: str, **settings) -> dict:
    return dict(type=f'rethink_det.{kind}', **settings)


BACKBONES = {
    'vgg': net('VGG', depth=11, norm=False, base_channels=4),
    'vgg-cifar': net('VGG', depth=16, conv_bias=False, last_pool=False, base_channels=4),
    'resnet': net('CifarResNet', depth=8, base_channels=4),
    'preresnet': net('PreResNet', depth=20, base_channels=4),
    'preact-resnet': net('PreActResNet', depth=50, base_channels=4),
    'densenet': net('DenseNet', depth=10, growth=4),
    'densenet-bc': net('DenseNet', depth=16, growth=4, compression=0.5, bottleneck=True),
}
each_backbone = pytest.mark.parametrize('config', BACKBONES.values(), ids=BACKBONES)


def convolutions(model: nn.Module) -> dict[str, nn.Conv2d]:
    return {name: m for name, m in model.named_modules() if isinstance(m, nn.Conv2d)}


@each_backbone
def test_the_graph_can_be_traced(config):
    backbone = build_backbone(config)
    assert Surgeon(backbone, SHAPE).layers() == list(convolutions(backbone))


@each_backbone
def test_whatever_can_be_cut_computes_what_the_zeroed_network_does(config, unsettle):
    torch.manual_seed(0)
    network = unsettle(PrunedArchitecture(config, HEAD, SHAPE).build_network()).eval()
    surgeon = Surgeon(network, SHAPE, 'backbone.')
    groups = [surgeon.group(layer) for layer in surgeon.layers()]
    assert sum(not group.obstacle for group in groups) >= 3
    keep = {g.root: range(0, g.width, 2) for g in groups if not g.obstacle}
    zeroed, cut = deepcopy(network), deepcopy(network)
    Surgeon(zeroed, SHAPE, 'backbone.').zero(keep)
    Surgeon(cut, SHAPE, 'backbone.').cut(keep)
    images = torch.randn(2, *SHAPE)
    with torch.no_grad():
        whole, expected, found = network(images), zeroed(images), cut(images)
    assert torch.allclose(found, expected, atol=1e-5)
    assert not torch.allclose(whole, expected, atol=1e-3)


@pytest.mark.parametrize('bn_weight', [0.5, 1])
@each_backbone
def test_norms_start_at_the_scale_asked_for(config, bn_weight):
    if config['type'] != 'rethink_det.CifarResNet':
        config = dict(config, bn_weight=bn_weight)
    backbone = build_backbone(config)
    backbone.init_weights()
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    assert bool(norms) == config.get('norm', True)
    for norm in norms:
        assert (norm.weight == config.get('bn_weight', 1)).all() and not norm.bias.any()


@each_backbone
def test_convolutions_start_with_the_variance_of_their_fan_out(config):
    torch.manual_seed(0)
    wide = dict(config, growth=64) if 'growth' in config else dict(config, base_channels=32)
    backbone = build_backbone(dict(wide, depth=10) if 'densenet' in str(config) else wide)
    backbone.init_weights()
    big = {n: c for n, c in convolutions(backbone).items() if c.weight.numel() > 10_000}
    assert len(big) >= 3
    for name, conv in big.items():
        expected = (2 / (conv.kernel_size[0] ** 2 * conv.out_channels)) ** 0.5
        assert conv.weight.std().item() == pytest.approx(expected, rel=0.05), name
        assert conv.bias is None or not conv.bias.any()


@each_backbone
def test_shapes_are_known_without_memory(config):
    with torch.device('meta'):
        widths = feature_widths(build_backbone(config), SHAPE)
    maps = build_backbone(config)(torch.randn(2, *SHAPE))
    assert [m.shape[1] for m in maps] == widths
    assert maps[-1].min() >= 0
    sizes = [m.shape[2] for m in maps]
    assert sizes == sorted(sizes, reverse=True)


@each_backbone
def test_a_step_of_training_reaches_every_parameter(config):
    torch.manual_seed(0)
    network = PrunedArchitecture(config, HEAD, SHAPE).build_network()
    network(torch.randn(8, *SHAPE)).square().sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None] == []
