"""Classifiers of mmpretrain by the names of their configs: what they compute is what they did."""

import pytest
import torch
from mmengine.config import Config

from rethink_det import UserError
from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.classification.mmpretrain_config import (
    config_of_mmpretrain,
    is_of_mmpretrain,
    mmpretrain_architecture,
)
from rethink_det.convert import convert_checkpoint

LINEAR = dict(type='LinearClsHead', num_classes=5, in_channels=512)


def config(backbone, head=None, neck=None, **more):
    model = dict(type='ImageClassifier', backbone=backbone, neck=neck, head=head or LINEAR)
    return Config(dict(model=model, default_scope='mmpretrain', **more))


def test_a_model_is_of_mmpretrain_by_its_type_and_scope():
    assert is_of_mmpretrain(config({}))
    assert is_of_mmpretrain(Config(dict(model=dict(type='mmpretrain.ImageClassifier'))))
    assert not is_of_mmpretrain(Config(dict(model=dict(type='ImageClassifier'))))
    assert not is_of_mmpretrain(Config(dict(model=dict(type='rethink_det.Classifier'))))


@pytest.mark.parametrize(
    'head, neck, message',
    [
        (dict(type='MultiLabelLinearClsHead'), None, 'the head MultiLabelLinearClsHead have no'),
        (LINEAR, dict(type='GeneralizedMeanPooling'), 'the neck GeneralizedMeanPooling and the'),
        (
            dict(type='VisionTransformerClsHead', hidden_dim=3),
            None,
            'VisionTransformerClsHead with a hidden layer have no counterpart',
        ),
    ],
)
def test_heads_and_necks_without_a_counterpart_are_refused(head, neck, message):
    with pytest.raises(UserError, match=f'a.py: .*{message}'):
        mmpretrain_architecture(config(dict(type='ResNet', depth=18), head, neck), 'a.py')


def test_other_names_stay_what_they_are():
    for name in ('mmdet::a.py', 'classification/a.py', 'mmpretrain::resnet/a.py'):
        assert config_of_mmpretrain(name) == name


def test_without_mmpretrain_it_is_said(monkeypatch):
    monkeypatch.setattr('rethink_det.packages.find_spec', lambda name: None)
    with pytest.raises(UserError, match="'mmpretrain', which is not installed: pip install"):
        config_of_mmpretrain('mmpretrain::resnet18_8xb32_in1k')


# -- with mmpretrain -----------------------------------------------------------------------


def test_a_config_is_found_by_its_bare_name():
    pytest.importorskip('mmpretrain')
    found = config_of_mmpretrain('mmpretrain::resnet18_8xb32_in1k')
    assert found == 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
    with pytest.raises(UserError, match="mmpretrain has no config 'resnet18_no'"):
        config_of_mmpretrain('mmpretrain::resnet18_no')


@pytest.mark.parametrize(
    'name, channels',
    [
        ('resnet18_8xb32_in1k', 'rgb'),
        ('regnetx-400mf_8xb128_in1k', 'bgr'),
        pytest.param('mobilenet-v2_8xb32_in1k', 'rgb', marks=pytest.mark.slow),
        pytest.param('convnext-tiny_32xb128_in1k', 'rgb', marks=pytest.mark.slow),
        ('deit-tiny_4xb256_in1k', 'rgb'),
        pytest.param('swin-tiny_16xb64_in1k', 'rgb', marks=pytest.mark.slow),
    ],
)
@torch.no_grad()
def test_published_weights_are_adopted_by_the_name_of_the_config(name, channels, command, tmp_path):
    pytest.importorskip('mmpretrain')
    from mmpretrain import get_model

    torch.manual_seed(0)
    model = get_model(name, device='cpu', pretrained=False).eval()
    torch.save({'state_dict': model.state_dict(), 'meta': {}}, tmp_path / 'published.pth')
    done = command(
        'convert', tmp_path / 'published.pth', '-o', tmp_path / 'own.pth', '--base',
        f'mmpretrain::{name}',
    )  # fmt: skip
    assert done.status == 0, done.err
    architecture = PrunedArchitecture.load(tmp_path / 'own.pth')
    assert architecture.input_shape == (3, 224, 224)
    state = torch.load(tmp_path / 'own.pth', weights_only=True)
    assert state['meta']['input_convention']['channels'] == channels
    images = torch.randn(1, *architecture.input_shape)
    expected = model.head(model.extract_feat(images))
    ours = architecture.network_with(state['state_dict']).eval()
    assert torch.allclose(ours(images), expected, atol=1e-4)


def test_heads_inside_of_a_backbone_are_refused_by_the_command(command, tmp_path):
    pytest.importorskip('mmpretrain')
    torch.save({'a': torch.ones(1)}, tmp_path / 'vgg.pth')
    base = 'mmpretrain::vgg11bn_8xb32_in1k'
    done = command('convert', tmp_path / 'vgg.pth', '-o', tmp_path / 'own.pth', '--base', base)
    assert done.status == 2 and f'{base}: the neck None and the head ClsHead have no' in done.err


def test_a_backbone_of_mmpretrain_is_cut_saved_and_read_again(tmp_path):
    pytest.importorskip('mmpretrain')
    head = dict(type='rethink_det.LinearHead', num_classes=3)
    base = PrunedArchitecture(dict(type='mmpretrain.ResNet', depth=18), head, (3, 64, 64))
    small = base.after(Cut(channels={'layer2.0.conv1': range(40)}))
    small.save(tmp_path / 'small.json')
    assert PrunedArchitecture.load(tmp_path / 'small.json') == small
    assert small.build().layer2[0].conv1.out_channels == 40
    torch.save(small.build_network().state_dict(), tmp_path / 'cut.pth')
    assert convert_checkpoint(tmp_path / 'cut.pth', base).architecture.kept('layer2.0.conv1') == 40
