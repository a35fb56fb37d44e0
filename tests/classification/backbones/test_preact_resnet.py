"""The ImageNet pre-activation ResNet, whole and with whole blocks removed."""

from functools import cache

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture.blocks import remove_block
from rethink_det.architecture.cost import Cost, count
from rethink_det.architecture.network import Network
from rethink_det.classification import LinearHead, PreActResNet

IMAGENET = (3, 224, 224)

# Blocks whose residual branch Sparse Structure Selection removed, as counted by arXiv
# 1810.05270 (which of the alike ones is not said).
REMOVED = {
    'resnet50': [],
    'resnet41': ['layer1.0', 'layer1.1', 'layer1.2'],
    'resnet32': ['layer1.0', 'layer1.2', 'layer3.2', 'layer3.5', 'layer4.1', 'layer4.2'],
    'resnet26': [
        'layer1.0', 'layer1.1', 'layer1.2', 'layer2.0', 'layer2.1', 'layer3.0', 'layer4.1',
        'layer4.2',
    ],
}  # fmt: skip


@cache
def cost(name: str) -> Cost:
    with torch.device('meta'):
        network = Network(PreActResNet(50), LinearHead(2048, 1000))
    for block in REMOVED[name]:
        remove_block(network.backbone, block)
    return count(network, IMAGENET)


@pytest.mark.parametrize(
    'name, params, macs',
    [('resnet41', 25_351_080, 3_472_621_568), ('resnet32', 14_261_928, 2_817_523_712)],
)
def test_cost_without_residual_branches_is_the_published_one(name, params, macs):
    assert (cost(name).params, cost(name).macs) == (params, macs)


@pytest.mark.parametrize(
    'name, ratio', [('resnet41', 1.17755), ('resnet32', 1.45134), ('resnet26', 1.79505)]
)
def test_compute_shrinks_by_the_published_ratio(name, ratio):
    assert cost('resnet50').macs / cost(name).macs == pytest.approx(ratio, abs=5e-6)


def test_four_stages_of_four_times_the_inner_width():
    features = PreActResNet(50, 2)(torch.randn(2, 3, 64, 64))
    assert [f.shape for f in features] == [
        (2, 8, 16, 16), (2, 16, 8, 8), (2, 32, 4, 4), (2, 64, 2, 2)
    ]  # fmt: skip
    assert features[-1].min() == 0 > features[0].min()  # only the last has passed a ReLU


@pytest.mark.parametrize('depth', [50, 101, 152])
def test_depth_counts_the_layers_with_weights(depth):
    with torch.device('meta'):
        network = PreActResNet(depth)
    names = [n for n, m in network.named_modules() if isinstance(m, torch.nn.Conv2d)]
    assert len([n for n in names if 'downsample' not in n]) + 1 == depth  # and the head
    assert len([n for n in names if 'downsample' in n]) == 4


def test_projections_read_the_activation():
    network = PreActResNet(50, 2)
    blocks = [b for b in network.modules() if hasattr(b, 'without_residual')]
    assert len(blocks) == 16 and all(block.project_activation for block in blocks)


@pytest.mark.parametrize('depth', [18, 34, 56, 164])
def test_another_depth_is_refused(depth):
    with pytest.raises(UserError, match=rf'one of \(50, 101, 152\), got {depth}'):
        PreActResNet(depth)


@pytest.mark.parametrize('width', [0, -4, 1.5, '8'])
def test_a_width_that_is_no_count_is_refused(width):
    with pytest.raises(UserError, match='base_channels must be a whole number of at least 1, got'):
        PreActResNet(50, base_channels=width)
