"""Networks of timm as backbones; timm is optional."""

import sys

import pytest
import torch

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.errors import UserError

HEAD = dict(type='rethink_det.LinearHead', num_classes=5)


def architecture(name, **settings):
    backbone = dict(type='rethink_det.TimmBackbone', model_name=name, **settings)
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


# -- what timm's own classifier reads --------------------------------------------------------


def whole(name, **settings):
    pytest.importorskip('timm')
    backbone = dict(type='rethink_det.TimmBackbone', model_name=name, classifier_input=True)
    return PrunedArchitecture({**backbone, **settings}, HEAD, (3, 64, 64))


EACH = {
    'test_resnet': {},
    'mobilenetv3_small_050': {},
    'test_convnext': {},
    'test_vit': dict(img_size=64),
    'gmlp_ti16_224': dict(img_size=64),
    'deit_tiny_distilled_patch16_224': dict(img_size=64),
}
each_network = pytest.mark.parametrize('name', EACH)


@each_network
@torch.no_grad()
def test_it_puts_out_what_timms_classifier_reads(name):
    timm = pytest.importorskip('timm')
    backbone = whole(name, **EACH[name]).build().eval()
    images = torch.randn(2, 3, 64, 64)
    (read,) = backbone(images)
    network = timm.create_model(name, num_classes=0, **EACH[name]).eval()
    network.load_state_dict(backbone.network.state_dict())
    expected = network(images)
    pixels = 2 if 'distilled' in name else 1
    assert read.shape == (*expected.shape, 1, pixels)
    assert torch.allclose(read.mean((2, 3)), expected, atol=1e-6)


@each_network
@torch.no_grad()
def test_maps_and_the_classifiers_input_come_in_the_order_asked_for(name):
    backbone = whole(name, **EACH[name]).build().eval()
    last = len(backbone.network.feature_info)
    images = torch.randn(1, 3, 64, 64)
    with backbone.every_map():
        every = backbone(images)
    chosen = whole(name, **EACH[name]).build(out_indices=(last, 2, 0)).eval()
    chosen.load_state_dict(backbone.state_dict())
    found = chosen(images)
    assert all(
        torch.allclose(f, every[i], atol=1e-6) for f, i in zip(found, (last, 2, 0), strict=True)
    )
    assert all(m.dim() == 4 and m.shape[2] == m.shape[3] for m in every[:-1])
    (alone,) = backbone(images)
    assert torch.allclose(alone, every[-1], atol=1e-6)


@each_network
def test_in_a_detector_what_no_map_needs_is_there_and_frozen(name):
    backbone = whole(name, **EACH[name]).build(out_indices=(0, 1))
    sum(m.square().sum() for m in backbone(torch.randn(2, 3, 64, 64))).backward()
    used = {n for n, p in backbone.named_parameters() if p.grad is not None}
    trained = {n for n, p in backbone.named_parameters() if p.requires_grad}
    assert used == trained and 0 < len(trained) < len(backbone.state_dict())
    assert set(backbone.state_dict()) == set(whole(name, **EACH[name]).build().state_dict())


def test_a_layer_behind_the_maps_of_a_detector_is_cut_like_the_others():
    small = whole('mobilenetv3_small_050').after(Cut(channels={'network.conv_head': range(100)}))
    backbone = small.build(out_indices=(1, 2))
    assert backbone.network.conv_head.out_channels == 100
    assert len(backbone(torch.zeros(1, 3, 64, 64))) == 2


@pytest.mark.parametrize('indices', [(), (6,), (-1,), (True,), (0.5,)])
def test_maps_that_it_has_not_are_refused(indices):
    with pytest.raises(UserError, match=r'must be some of 0 to 4, its maps, and 5, the input of'):
        whole('test_resnet').build(out_indices=indices)


@pytest.mark.parametrize(
    'settings', [dict(no_such=1), dict(num_classes=3), dict(features_only=True)]
)
def test_what_timm_does_not_make_is_refused(settings):
    with pytest.raises(UserError, match="cannot make a backbone of 'test_vit'|no setting of"):
        whole('test_vit', **settings).build()


@pytest.mark.parametrize(
    'name', ['test_convnext', 'test_vit', 'test_resnet', 'mobilenetv3_small_050', 'gmlp_ti16_224']
)
@pytest.mark.parametrize('maps', [True, False])
def test_weights_begin_as_timms_do(name, maps):
    timm = pytest.importorskip('timm')
    torch.manual_seed(0)
    size = EACH.get(name, {})
    backbone = (architecture(name, **size) if maps else whole(name, **size)).build()
    kind = dict(features_only=True, **size) if maps else dict(num_classes=0, **size)
    expected = dict(timm.create_model(name, **kind).named_parameters())
    for key, parameter in backbone.network.named_parameters():
        there, count = expected[key], parameter.numel()
        if parameter.dim() > 1 and count > 1000 and there.any():  # as near as two draws are
            spread = there.std().item()
            assert parameter.std().item() == pytest.approx(spread, rel=8 / count**0.5), key
