"""What the published weights of networks want of their images."""

import pytest
import torchvision

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.convert import load_base
from rethink_det.convert.conventions import IMAGENET, TENSORFLOW_LITE, preset_of, wanted_by
from rethink_det.errors import UserError


@pytest.mark.parametrize(
    'name, convention, side',
    [
        ('torchvision.resnet18', IMAGENET, 224),
        ('torchvision.inception_v3', IMAGENET, 299),
        ('torchvision.swin_v2_t', IMAGENET, 256),
        ('torchvision.efficientnet_b1', IMAGENET, 240),
        ('vgg16_bn', IMAGENET, 224),
        ('resnet56-subsample', IMAGENET, 32),
        ('efficientnet-lite0', TENSORFLOW_LITE, 224),
        ('resnet50-thinet-30', IMAGENET, 224),
    ],
)
def test_known_networks(name, convention, side):
    base = load_base(name)
    assert wanted_by(base).convention == convention
    assert base.input_shape == (3, side, side)


def test_timm_says_it_of_each_network():
    pytest.importorskip('timm')
    half = InputConvention('rgb', (127.5,) * 3, (127.5,) * 3)
    assert wanted_by(load_base('timm.vit_tiny_patch16_224')).convention == half
    assert wanted_by(load_base('timm.resnet18')) == (IMAGENET, "timm's resnet18")


def test_of_others_nothing_is_known(cifar):
    assert wanted_by(PrunedArchitecture.load('resnet56')) is None
    assert wanted_by(cifar()) is None
    assert wanted_by(cifar(source='torchvision.models.nothing')) is None
    assert preset_of('nothing') is None
    with pytest.raises(UserError, match='torchvision has no network'):
        load_base('torchvision.nothing')


def test_every_network_of_torchvision_with_weights_says_it():
    models = torchvision.models
    names = models.list_models(models)
    assert all(len(preset_of(name).mean) == 3 for name in names)
