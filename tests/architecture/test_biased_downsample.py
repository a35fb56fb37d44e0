"""The ResNet whose projections have a bias: nothing else differs from mmdet's."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import build_backbone

SMALL = dict(depth=50, base_channels=4, norm_eval=False)
HEAD = dict(type='rethink_det.LinearHead', num_classes=3)


def biased(**settings):
    return build_backbone(dict(type='rethink_det.BiasedDownsampleResNet', **settings))


def plain(**settings):
    return build_backbone(dict(type='mmdet.ResNet', **settings))


def test_a_resnet50_has_3840_parameters_more():
    with torch.device('meta'):
        ours, theirs = biased(depth=50).state_dict(), plain(depth=50).state_dict()
    extra = {name: tensor for name, tensor in ours.items() if name not in theirs}
    assert list(extra) == [f'layer{stage}.0.downsample.0.bias' for stage in (1, 2, 3, 4)]
    assert sum(tensor.numel() for tensor in extra.values()) == 3840
    assert list(theirs) == [name for name in ours if name not in extra]


@torch.no_grad()
def test_the_bias_takes_part():
    torch.manual_seed(0)
    ours, theirs = biased(**SMALL), plain(**SMALL)
    theirs.load_state_dict(ours.state_dict(), strict=False)
    for module in (*ours.modules(), *theirs.modules()):
        module.training = False
    images = torch.randn(1, 3, 64, 64)
    assert not torch.allclose(ours(images)[0], theirs(images)[0])
    for stage in (1, 2, 3, 4):
        ours.get_submodule(f'layer{stage}.0.downsample.0').bias.zero_()
    assert torch.equal(ours(images)[3], theirs(images)[3])


def test_the_bias_of_a_frozen_stage_is_frozen():
    backbone = biased(frozen_stages=2, **SMALL)
    for stage, trains in {1: False, 2: False, 3: True, 4: True}.items():
        conv = backbone.get_submodule(f'layer{stage}.0.downsample.0')
        assert conv.bias.requires_grad == conv.weight.requires_grad == trains


def test_it_can_be_pruned():
    settings = dict(type='rethink_det.BiasedDownsampleResNet', **SMALL)
    channels = {'layer1.0.conv1': 2, 'layer4.1.conv2': 5}
    architecture = PrunedArchitecture(settings, HEAD, (3, 32, 32), channels)
    network = architecture.build_network()
    assert network.backbone.layer4[1].conv2.out_channels == 5
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 3)


def test_what_the_resnet_does_not_know_is_refused():
    with pytest.raises(UserError, match='depth'):
        biased(depth=51)
    with pytest.raises(UserError, match='downsample_bias'):
        biased(depth=50, downsample_bias=True)
