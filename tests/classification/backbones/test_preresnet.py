"""The CIFAR pre-activation ResNet."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.classification import PreResNet


def test_three_stages_of_four_times_the_inner_width():
    features = PreResNet(20, 4)(torch.randn(2, 3, 32, 32))
    assert [f.shape for f in features] == [(2, 16, 32, 32), (2, 32, 16, 16), (2, 64, 8, 8)]
    assert features[-1].min() == 0 > features[0].min()  # only the last has passed a ReLU


@given(st.integers(1, 6))
def test_depth_counts_the_layers_with_weights(blocks):
    network = PreResNet(9 * blocks + 2, 2)
    inner = [n for n, m in network.named_modules() if isinstance(m, torch.nn.Conv2d)]
    assert len([n for n in inner if 'downsample' not in n]) + 1 == 9 * blocks + 2  # and the head


def test_projections_read_the_raw_input_of_the_first_blocks():
    network = PreResNet(20, 2)
    blocks = {n: b for n, b in network.named_modules() if hasattr(b, 'without_residual')}
    projecting = [name for name, block in blocks.items() if block.downsample is not None]
    assert projecting == ['layer1.0', 'layer2.0', 'layer3.0'] and len(blocks) == 6
    assert not any(block.project_activation for block in blocks.values())


def test_names():
    names = [name for name, _ in PreResNet(11, 2).named_parameters()]
    assert names[:8] == [
        'conv1.weight', 'layer1.0.bn1.weight', 'layer1.0.bn1.bias', 'layer1.0.conv1.weight',
        'layer1.0.bn2.weight', 'layer1.0.bn2.bias', 'layer1.0.conv2.weight',
        'layer1.0.bn3.weight',
    ]  # fmt: skip
    assert names[9:11] == ['layer1.0.conv3.weight', 'layer1.0.downsample.weight']
    assert names[-2:] == ['bn.weight', 'bn.bias']


@pytest.mark.parametrize('depth', [2, 0, -7, 56 + 6, 163])
def test_another_depth_is_refused(depth):
    with pytest.raises(UserError, match=rf'depth must be 9n \+ 2 .*got {depth}'):
        PreResNet(depth)


@pytest.mark.parametrize('depth', ['20', 20.0, None])
def test_a_depth_that_is_no_whole_number_is_refused(depth):
    with pytest.raises(UserError, match=rf'depth must be 9n \+ 2 .*, got {depth}'):
        PreResNet(depth)


@pytest.mark.parametrize('width', [0, -4, 1.5, '8'])
def test_a_width_that_is_no_count_is_refused(width):
    with pytest.raises(UserError, match='base_channels must be a whole number of at least 1, got'):
        PreResNet(11, base_channels=width)
