"""Networks of timm and torchvision by their names there: what they compute is what they did."""

import json

import pytest
import torch
import torchvision

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.convert import convert_checkpoint, load_base
from rethink_det.convert.foreign_models import foreign_model, named
from rethink_det.convert.foreign_tensors import ForeignModel

LINEAR = dict(type='rethink_det.LinearHead', num_classes=1000)
NORM = dict(type='rethink_det.NormHead', num_classes=1000)
TOKENS = {**LINEAR, 'pixels': 2}
TIMM = {
    'test_resnet': LINEAR,  # a linear layer behind a pool
    'mobilenetv3_small_050': LINEAR,  # a convolution behind the pool
    'test_efficientnet': LINEAR,  # a convolution and a norm before the pool
    'test_convnext': LINEAR,  # a norm behind the pool
    'test_vit': LINEAR,  # a class token
    'dla46x_c': LINEAR,  # a convolution in the layer's place
    'shvit_s1': NORM,  # BatchNorm and a linear layer
    'levit_128s': LINEAR,  # two of these, and indices that no weights bring along
    'swiftformer_xs': LINEAR,  # a distilled pair on one vector
    'deit_tiny_distilled_patch16_224': TOKENS,  # a pair on two tokens
}
MORE = (
    'vit_tiny_patch16_224', 'mixer_s32_224', 'swin_tiny_patch4_window7_224', 'repvit_m1',
    'efficientformer_l1', 'efficientformerv2_s0', 'xcit_nano_12_p8_224', 'tiny_vit_5m_224',
    'pit_ti_224', 'resnetv2_18', 'convnext_atto', 'regnetx_002', 'densenet121', 'test_nfnet',
    'mobilevit_xxs', 'poolformerv2_s12', 'cait_xxs24_224', 'gmlp_ti16_224', 'iformer_t',
    'hrnet_w18_small', 'ghostnet_050', 'inception_next_atto', 'rexnet_100', 'legacy_seresnet18',
)  # fmt: skip
TORCHVISION = ('resnet18', 'mobilenet_v3_small', 'shufflenet_v2_x0_5')
MORE_OF_TORCHVISION = (
    'alexnet', 'convnext_tiny', 'densenet121', 'efficientnet_b0', 'googlenet', 'inception_v3',
    'maxvit_t', 'mnasnet0_5', 'mobilenet_v2', 'regnet_y_400mf', 'swin_t', 'swin_v2_t',
    'vgg11_bn', 'vit_b_32',
)  # fmt: skip


def names():
    yield from (f'timm.{name}' for name in TIMM)
    yield from (f'torchvision.{name}' for name in TORCHVISION)
    slow = [*(f'timm.{n}' for n in MORE), *(f'torchvision.{n}' for n in MORE_OF_TORCHVISION)]
    yield from (pytest.param(name, marks=pytest.mark.slow) for name in slow)


@torch.no_grad()
def theirs(name, unsettle, **settings):
    """A network of a library of which every weight matters, in evaluation mode."""
    library, _, model = name.partition('.')
    torch.manual_seed(0)
    if library == 'timm':
        network = pytest.importorskip('timm').create_model(model, **settings)
    else:
        more = {'init_weights': False} if model in ('googlenet', 'inception_v3') else {}
        network = torchvision.models.get_model(model, weights=None, **more, **settings)
        if hasattr(network, 'transform_input'):
            network.transform_input = True  # as torchvision does for its published weights
    for parameter in network.parameters():
        if not parameter.any():  # what begins at nothing would hide a mistake
            parameter.normal_(0, 0.02)
    return unsettle(network).eval()


@pytest.fixture
def saved(tmp_path):
    def write(content, name='foreign.pth'):
        torch.save(content, tmp_path / name)
        return tmp_path / name

    return write


@torch.no_grad()
def difference(converted, network):
    ours = converted.architecture.network_with(converted.state_dict).eval()
    images = torch.randn(2, *converted.architecture.input_shape)
    expected = network(images)
    return float((ours(images) - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize('name', names())
def test_it_computes_what_it_did_in_its_library(name, saved, unsettle):
    network = theirs(name, unsettle, num_classes=7)
    converted = convert_checkpoint(saved(network.state_dict()), name)
    assert difference(converted, network) <= 1e-5
    assert converted.architecture.head['num_classes'] == 7
    assert PrunedArchitecture.from_dict(converted.architecture.to_dict()) == converted.architecture


@pytest.mark.parametrize('name', TIMM)
def test_heads_have_their_counterparts(name):
    pytest.importorskip('timm')
    assert named(f'timm.{name}').head == TIMM[name]


def test_a_network_of_other_settings_is_a_file_of_its_own(saved, tmp_path, unsettle):
    network = theirs('timm.test_vit', unsettle, img_size=64, num_classes=5)
    backbone = {**named('timm.test_vit').backbone, 'img_size': 64}
    base = PrunedArchitecture(backbone, {**LINEAR, 'num_classes': 5}, (3, 64, 64))
    base.save(tmp_path / 'base.json')
    converted = convert_checkpoint(saved(network.state_dict()), tmp_path / 'base.json')
    assert converted.architecture == base
    assert difference(converted, network) <= 1e-5


def test_what_was_done_is_said(saved, unsettle):
    network = theirs('timm.swiftformer_xs', unsettle)
    notes = convert_checkpoint(saved(network.state_dict()), 'timm.swiftformer_xs').inferred
    assert 'the two last layers of its distillation are one, which has their mean' in notes
    assert json.dumps(notes)


def test_names_behind_a_wrapper_are_the_same(saved, unsettle):
    state = theirs('timm.test_resnet', unsettle).state_dict()
    wrapped = {'state_dict': {f'module.{name}': tensor for name, tensor in state.items()}}
    plain, behind = (convert_checkpoint(saved(s), 'timm.test_resnet') for s in (state, wrapped))
    assert all(torch.equal(t, behind.state_dict[n]) for n, t in plain.state_dict.items())


def test_networks_of_this_package_are_of_no_library():
    assert foreign_model({'type': 'mmdet.ResNet', 'depth': 18}) is None
    assert foreign_model({'type': 'rethink_det.TimmBackbone', 'model_name': 'resnet18'}) is None
    assert named('resnet18') is None and load_base('resnet18').backbone['type'] == 'mmdet.ResNet'


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'name, message',
    [
        (
            'timm.crossvit_tiny_240',
            r'classifies by head\.0 and head\.1, .* that are read are',
        ),
        ('timm.no_such_network', "timm has no network 'no_such_network'"),
        ('torchvision.no_such_network', "torchvision has no network 'no_such_network'"),
        ('torchvision.squeezenet1_0', 'classifies by maps of scores, .* a linear layer, a 1 x 1'),
        ('timm.', 'No architecture .timm.*or timm.NAME or torchvision.NAME'),
    ],
)
def test_a_network_that_is_none_or_has_another_head_is_refused(name, message):
    pytest.importorskip('timm')
    with pytest.raises(UserError, match=message):
        load_base(name)


@pytest.mark.parametrize('gone', ['head_dist.weight', 'head.bias', 'norm.weight'])
def test_a_part_of_a_network_is_refused(gone, saved, unsettle):
    state = theirs('timm.swiftformer_xs', unsettle).state_dict()
    del state[gone]
    with pytest.raises(UserError, match='foreign.pth: .*(is missing|has no tensor|no head)'):
        convert_checkpoint(saved(state), 'timm.swiftformer_xs')


def test_weights_that_would_compute_something_else_are_refused(saved, unsettle, monkeypatch):
    network = theirs('timm.swiftformer_xs', unsettle)
    right = ForeignModel._mean
    wrong = {'head.fc.bias': torch.ones(1000)}
    monkeypatch.setattr(ForeignModel, '_mean', lambda *given: {**right(*given), **wrong})
    with pytest.raises(UserError, match='foreign.pth: timm.swiftformer_xs scores an image other'):
        convert_checkpoint(saved(network.state_dict()), 'timm.swiftformer_xs')


def test_without_timm_it_is_said(monkeypatch):
    monkeypatch.setattr('rethink_det.packages.is_installed', lambda package: False)
    with pytest.raises(UserError, match="needs the package 'timm', which is not installed"):
        load_base('timm.resnet18')
