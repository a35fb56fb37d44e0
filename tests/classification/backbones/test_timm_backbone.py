"""Networks of timm as backbones; timm is optional."""

import sys

import pytest
import torch

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.errors import UserError

HEAD = dict(type='rethink_det.LinearHead', num_classes=5)


def architecture(name):
    backbone = dict(type='rethink_det.TimmBackbone', model_name=name)
    return PrunedArchitecture(backbone, HEAD, (3, 64, 64))


def test_without_timm_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'timm', None)
    with pytest.raises(UserError, match="'resnet18' is one of timm.*pip install timm"):
        architecture('resnet18').build()


@torch.no_grad()
def test_maps_have_the_strides_that_detectors_read():
    pytest.importorskip('timm')
    backbone = architecture('resnet18').build(out_indices=(1, 2, 3, 4)).eval()
    maps = backbone(torch.zeros(1, 3, 64, 64))
    assert [m.shape[1:] for m in maps] == [(64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)]


def test_its_outputs_can_be_pruned():
    pytest.importorskip('timm')
    small = architecture('resnet18').after(Cut(channels={'network.layer2.0.conv2': range(100)}))
    maps = small.build(out_indices=(1, 2, 3, 4))(torch.zeros(2, 3, 64, 64))
    assert [m.shape[1] for m in maps] == [64, 100, 256, 512]


def test_an_unknown_network_is_refused():
    pytest.importorskip('timm')
    with pytest.raises(UserError, match='resnet-no'):
        architecture('resnet-no').build()


@torch.no_grad()
def test_a_pruned_network_starts_as_an_unpruned_one_does():
    pytest.importorskip('timm')
    torch.manual_seed(0)
    layer = 'network.blocks.6.0.conv_pw'
    whole = architecture('tf_efficientnet_lite0')
    pruned = whole.after(Cut(channels={layer: range(576)}))
    for network in (whole.build(), pruned.build()):
        conv, depthwise = network.network.blocks[6][0].conv_pw, network.network.blocks[6][0].conv_dw
        assert conv.weight.std().item() == pytest.approx((2 / conv.out_channels) ** 0.5, rel=0.02)
        assert depthwise.weight.std().item() == pytest.approx((2 / 9) ** 0.5, rel=0.05)
        assert (network.network.bn1.weight == 1).all()


def test_sync_bn_that_would_lose_activations_is_refused():
    pytest.importorskip('timm')
    backbone = torch.nn.SyncBatchNorm.convert_sync_batchnorm(architecture('resnet18').build())
    assert isinstance(backbone.train().network.bn1, torch.nn.SyncBatchNorm)
    lossy = architecture('tf_efficientnet_lite0').build()
    lossy = torch.nn.SyncBatchNorm.convert_sync_batchnorm(lossy)
    with pytest.raises(UserError, match='sync_bn cannot be used .* network.bn1 is a BatchNorm'):
        lossy.train()
