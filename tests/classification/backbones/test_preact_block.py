"""The pre-activation bottleneck, and what is left of it without its residual branch."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rethink_det.classification.backbones.preact_block import PreActBottleneck, preact_stage

KINDS = {
    'identity': dict(inputs=8, stride=1, projection=False, project_activation=True),
    'raw': dict(inputs=6, stride=2, projection=True, project_activation=False),
    'activated': dict(inputs=6, stride=2, projection=True, project_activation=True),
}
LEFT = {
    'identity': [],
    'raw': ['downsample.weight'],
    'activated': ['bn1.weight', 'bn1.bias', 'downsample.weight'],
}
each_kind = pytest.mark.parametrize('kind', KINDS)


@pytest.fixture
def block(kind, unsettle):
    torch.manual_seed(0)
    return unsettle(PreActBottleneck(width=2, **KINDS[kind])).eval()


def images(kind: str) -> torch.Tensor:
    return torch.randn(2, KINDS[kind]['inputs'], 6, 6)


@each_kind
def test_it_is_three_times_norm_relu_convolution_and_the_shortcut(block, kind):
    x = images(kind)
    first = F.relu(block.bn1(x))
    inner = block.conv2(F.relu(block.bn2(block.conv1(first))))
    read = first if kind == 'activated' else x
    expected = block.conv3(F.relu(block.bn3(inner)))
    expected = expected + (read if block.downsample is None else block.downsample(read))
    assert torch.allclose(block(x), expected, atol=1e-6)
    stride = KINDS[kind]['stride']
    assert expected.shape == (2, 8, 6 // stride, 6 // stride)


@each_kind
def test_without_residual_is_the_block_whose_last_convolution_is_zero(block, kind):
    x, left = images(kind), block.without_residual()
    before = x.clone()
    nn.init.zeros_(block.conv3.weight)
    assert torch.equal(left(x), block(x)) and torch.equal(block.shortcut(x), block(x))
    assert torch.equal(x, before)
    assert [name for name, _ in left.named_parameters()] == LEFT[kind]
    own = dict(block.named_parameters())
    assert all(parameter is own[name] for name, parameter in left.named_parameters())


def test_only_an_identity_leaves_nothing():
    block = PreActBottleneck(width=2, **KINDS['identity'])
    assert type(block.without_residual()) is nn.Identity


@each_kind
def test_running_statistics_are_updated_once_a_pass(block, kind):
    block.train()(images(kind))
    assert block.bn1.num_batches_tracked == 1


def test_the_first_block_of_a_stage_projects_and_strides():
    stage = preact_stage(6, 2, 3, 2, project_activation=False)
    assert [block.downsample is not None for block in stage] == [True, False, False]
    assert [block.conv2.stride for block in stage] == [(2, 2), (1, 1), (1, 1)]
    assert stage(torch.randn(1, 6, 8, 8)).shape == (1, 8, 4, 4)
