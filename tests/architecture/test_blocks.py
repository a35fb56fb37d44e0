"""Residual blocks: of torchvision's kind and of this package's; without their branch, the rest."""

import pytest
import torch
from torch import nn

from rethink_det import UserError
from rethink_det.architecture.blocks import (
    check_blocks,
    last_layer,
    remove_block,
    residual_blocks,
    shortcut,
)
from rethink_det.architecture.network import build_backbone

BACKBONES = {
    'mmdet': dict(type='mmdet.ResNet', depth=18, base_channels=8, norm_eval=False),
    'bottleneck': dict(type='mmdet.ResNet', depth=50, base_channels=8, norm_eval=False),
    'cifar': dict(type='rethink_det.CifarResNet', depth=14, base_channels=8),
    'pre-activation': dict(type='rethink_det.PreResNet', depth=20, base_channels=8),
}


@pytest.fixture(params=BACKBONES.values(), ids=BACKBONES)
def backbone(request, unsettle):
    model = unsettle(build_backbone(request.param))
    model.eval()
    return model


def seen_by(block, backbone, images):
    """What a block reads and puts out while the backbone runs."""
    taken = []
    handle = block.register_forward_hook(lambda _, inputs, output: taken.extend([*inputs, output]))
    backbone(images)
    handle.remove()
    return taken


@torch.no_grad()
def test_a_block_adds_its_branch_to_its_shortcut(backbone):
    images = torch.randn(2, 3, 32, 32)
    for name, block in residual_blocks(backbone).items():
        for parameter in last_layer(block).parameters():
            parameter.zero_()
        read, output = seen_by(block, backbone, images)
        expected = shortcut(block, read)
        torch.testing.assert_close(output, expected.relu() if output.min() >= 0 else expected)
        assert name.startswith('layer')


@torch.no_grad()
def test_without_its_branch_a_block_computes_what_its_branch_at_zero_does(backbone):
    names = list(residual_blocks(backbone))
    for name in (names[0], names[-1]):
        for parameter in last_layer(backbone.get_submodule(name)).parameters():
            parameter.zero_()
    images = torch.randn(2, 3, 32, 32)
    whole = backbone(images)
    for name in (names[0], names[-1]):
        remove_block(backbone, name)
    for before, after in zip(whole, backbone(images), strict=True):
        torch.testing.assert_close(after, before)
    assert not {names[0], names[-1]} & set(residual_blocks(backbone))


def test_a_block_that_is_not_there_is_refused_by_name():
    backbone = build_backbone(BACKBONES['cifar'])
    with pytest.raises(UserError, match="CifarResNet has no residual block 'conv1'; it has layer1"):
        remove_block(backbone, 'conv1')
    network = nn.ModuleDict({'backbone': backbone})
    check_blocks(network, ['layer1.0'], 'backbone.')
    with pytest.raises(UserError, match="no residual block 'layer9.0'; it has layer1.0, layer1.1"):
        check_blocks(network, ['layer1.0', 'layer9.0'], 'backbone.')
    with pytest.raises(UserError, match="Linear has no residual block 'fc'; it has none"):
        check_blocks(nn.Linear(2, 2), ['fc'])
