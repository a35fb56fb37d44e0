"""Filters that soft pruning left at zero are removed, or masked where they cannot go."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.pruning import prune_state


@pytest.mark.parametrize('keep, zeroed', [(0.7, (4, 9, 19)), (0.9, (1, 3, 6))])
def test_the_published_counts_of_every_convolution(cifar, keep, zeroed):
    base = cifar(depth=20, base_channels=16)
    pruner = dict(type='SoftFilterPruner', keep=keep)
    found = prune_state(base.build_network().state_dict(), pruner, base)
    kept = {layer: found.architecture.kept(layer) for layer in found.architecture.channels}
    for layer, width in base.widths.items():
        stage = {16: 0, 32: 1, 64: 2}[width]
        if layer.endswith('conv1') and layer != 'conv1':
            assert kept.pop(layer) == width - zeroed[stage]
        else:
            mask = found.masks[f'backbone.{layer}.weight']
            assert (~mask.flatten(1).any(1)).sum() == zeroed[stage]
            assert mask.flatten(1).all(1).sum() == width - zeroed[stage]
    assert not kept


def test_the_filters_of_smallest_l2_norm_go(cifar):
    network = cifar().build_network()
    weight = network.backbone.layer1[0].conv1.weight
    with torch.no_grad():
        for filter_, size in zip(weight, (3.0, 1.0, 4.0, 2.0), strict=True):
            filter_.fill_(size)
        weight[2] = 0
        weight[2, 0, 0, 0] = 20.0  # L1 norm 20 and L2 norm 20; the first has 108 and 18
    found = prune_state(network.state_dict(), dict(type='SoftFilterPruner', keep=0.25), cifar())
    assert found.architecture.channels['layer1.0.conv1'] == (2,)


def test_what_training_zeroed_is_removed_and_nothing_else(cifar):
    network = cifar().build_network()
    with torch.no_grad():
        network.backbone.layer2[0].conv1.weight[[1, 4]] = 0
        network.backbone.layer2[0].conv2.weight[[0]] = 0
    result = prune_state(network.state_dict(), dict(type='SoftFilterPruner'), cifar())
    assert result.architecture.channels == {'layer2.0.conv1': (0, 2, 3, 5, 6, 7)}
    assert set(result.masks) == {'backbone.layer2.0.conv2.weight'}
    mask = result.masks['backbone.layer2.0.conv2.weight']
    assert mask.shape == (8, 6, 3, 3) and not mask[0].any() and mask[1:].all()
    small = result.architecture.build_network()
    small.load_state_dict(result.state_dict)
    norm = network.backbone.layer2[0].bn1
    with torch.no_grad():  # the constant that a zeroed filter's BatchNorm puts out goes, too
        norm.weight[[1, 4]] = norm.bias[[1, 4]] = 0
    images = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        difference = network.eval()(images) - small.eval()(images)
    assert difference.abs().max() <= 1e-5
    assert result.architecture.cost().params < cifar().cost().params - mask[0].numel()


def test_nothing_at_zero_is_announced(cifar):
    state = cifar().build_network().state_dict()
    with pytest.warns(UserWarning, match='No filter is zero.*SoftFilterHook'):
        result = prune_state(state, dict(type='SoftFilterPruner'), cifar())
    assert result.architecture == cifar()


@pytest.mark.parametrize('keep', [0, -0.5, 1.2])
def test_a_share_out_of_range_is_refused(cifar, keep):
    with pytest.raises(UserError, match='keep must be above 0 and at most 1'):
        prune_state({}, dict(type='SoftFilterPruner', keep=keep), cifar())


def test_the_mask_of_a_depthwise_convolution_follows_what_it_reads(unsettle):
    pytest.importorskip('timm')
    backbone = dict(type='rethink_det.TimmBackbone', model_name='mobilenetv2_035')
    head = dict(type='rethink_det.LinearHead', num_classes=3)
    base = PrunedArchitecture(backbone, head, (3, 32, 32))
    network = unsettle(base.build_network())
    first, second = (network.backbone.network.blocks[1][i] for i in range(2))
    with torch.no_grad():
        first.conv_pw.weight[[1, 4]] = first.conv_dw.weight[[4, 6]] = 0
        second.conv_pw.weight[[3]] = second.conv_dw.weight[[3]] = 0
    result = prune_state(network.state_dict(), dict(type='SoftFilterPruner'), base)
    assert {n: base.widths[n] - len(k) for n, k in result.architecture.channels.items()} == {
        'network.blocks.1.0.conv_pw': 2, 'network.blocks.1.1.conv_pw': 1
    }  # fmt: skip
    (name, mask), = result.masks.items()  # fmt: skip
    assert name == 'backbone.network.blocks.1.0.conv_dw.weight'
    alive = mask.flatten(1).any(1)
    assert len(mask) == len(first.conv_dw.weight) - 2 and (~alive).nonzero().tolist() == [[4]]
    small = result.architecture.network_with(result.state_dict).eval()
    with torch.no_grad():
        for norm, gone in ((first.bn1, [1, 4]), (first.bn2, [1, 4]), (second.bn1, [3])):
            norm.weight[gone] = norm.bias[gone] = 0
        second.bn2.weight[3] = second.bn2.bias[3] = 0
        images = torch.randn(2, 3, 32, 32)
        assert (network.eval()(images) - small(images)).abs().max() <= 1e-5
