"""Heads: what they compute, how they start, and what VGG's are called."""

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import Surgeon
from rethink_det.classification import LinearHead, MLPHead, NormHead

FEATURE = torch.randn(4, 6, 8, 8, generator=torch.Generator().manual_seed(0))


def test_the_plain_head_averages_hides_and_scores():
    head = MLPHead(6, 3, hidden=(5, 7), pool=2).eval()
    hidden = F.avg_pool2d(FEATURE, 4).flatten(1)
    for index in (0, 3):
        hidden = head.classifier[index](hidden).relu()
    assert torch.allclose(head(FEATURE), head.classifier[6](hidden), atol=1e-6)


def test_dropout_acts_in_training_alone():
    head = MLPHead(6, 3, hidden=(500,), pool=1)
    dropout = head.classifier[2]
    assert isinstance(dropout, nn.Dropout) and dropout.p == 0.5
    assert not torch.equal(head(FEATURE), head(FEATURE))
    head.eval()
    assert torch.equal(head(FEATURE), head(FEATURE))


@pytest.mark.parametrize(
    'settings, kinds',
    [
        (dict(), ['Linear', 'ReLU', 'Dropout', 'Linear', 'ReLU', 'Dropout', 'Linear']),
        (
            dict(norm=True, dropout=0),
            ['Linear', 'BatchNorm1d', 'ReLU', 'Linear', 'BatchNorm1d', 'ReLU', 'Linear'],
        ),
        (
            dict(hidden=(512,), pool=1, norm=True, dropout=0),
            ['Linear', 'BatchNorm1d', 'ReLU', 'Linear'],
        ),
    ],
    ids=['ImageNet', 'ImageNet slimming', 'CIFAR'],
)
def test_the_heads_of_the_literature(settings, kinds):
    with torch.device('meta'):
        head = MLPHead(512, 10, **settings)
    assert [type(layer).__name__ for layer in head.classifier] == kinds
    assert head.classifier[-1].out_features == 10
    side = settings.get('pool', 7)
    assert head.classifier[0].in_features == 512 * side * side


@pytest.mark.parametrize('settings', [dict(pool=1), dict(pool=2), dict(pool=2, norm=True)], ids=str)
def test_cutting_the_last_convolution_cuts_what_the_head_reads_of_it(settings):
    torch.manual_seed(0)
    head = MLPHead(8, 3, hidden=(5,), **settings)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), head).eval()
    zeroed, keep = deepcopy(network), {'0': [1, 4, 6]}
    Surgeon(zeroed, (3, 8, 8)).zero(keep)
    Surgeon(network, (3, 8, 8)).cut(keep)
    assert head.classifier[0].in_features == 3 * settings['pool'] ** 2
    images = torch.randn(2, 3, 8, 8)
    assert torch.allclose(network(images), zeroed(images), atol=1e-6)


@pytest.mark.parametrize('bn_weight', [0.5, 1.0])
def test_hidden_layers_start_small(bn_weight):
    torch.manual_seed(0)
    head = MLPHead(64, 100, (200,), pool=2, norm=True, dropout=0, bn_weight=bn_weight)
    head.init_weights()
    for index in (0, 3):
        linear = head.classifier[index]
        assert linear.weight.std().item() == pytest.approx(0.01, rel=0.05)
        assert not linear.bias.any()
    assert (head.classifier[1].weight == bn_weight).all() and not head.classifier[1].bias.any()


def test_a_linear_head_starts_as_torchs_or_as_asked():
    torch.manual_seed(0)
    small, default = LinearHead(512, 100, init_std=0.01), LinearHead(512, 100)
    before = default.fc.weight.clone()
    for head in (small, default):
        head.init_weights()
    assert small.fc.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not small.fc.bias.any()
    assert torch.equal(default.fc.weight, before) and default.fc.bias.any()


def test_a_linear_head_drawn_by_kaiming_starts_by_what_it_reads():
    torch.manual_seed(0)
    for width in (64, 512):
        head = LinearHead(width, 1000, init_std='kaiming')
        head.init_weights()
        assert head.fc.weight.std().item() == pytest.approx((2 / width) ** 0.5, rel=0.05)
        assert not head.fc.bias.any()


@pytest.mark.parametrize('head', [LinearHead, MLPHead])
def test_a_deviation_that_is_another_word_is_refused(head):
    with pytest.raises(UserError, match="init_std must be a number or 'kaiming', got 'xavier'"):
        head(4, 3, init_std='xavier')


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(hidden=(0,)), r'at least 1, got \(0,\) and 7'),
        (dict(pool=0), r'at least 1, got \(4096, 4096\) and 0'),
        (dict(dropout=1), 'dropout must be in 0 <= p < 1, got 1'),
        (dict(dropout=-0.5), 'dropout must be in 0 <= p < 1, got -0.5'),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(UserError, match=message), torch.device('meta'):
        MLPHead(6, 3, **settings)


@pytest.mark.parametrize('classes', [0, -1, 2.5, '10', None])
def test_classes_that_are_no_count_are_refused(classes):
    with pytest.raises(UserError, match='num_classes must be a whole number of at least 1, got'):
        LinearHead(4, classes)
    with pytest.raises(UserError, match='num_classes must be a whole number of at least 1, got'):
        MLPHead(4, classes, hidden=(8,), pool=1)


@pytest.mark.parametrize('hidden', [8, '88', (1.5,), None], ids=str)
def test_hidden_layers_that_are_no_list_of_widths_are_refused(hidden):
    with pytest.raises(UserError, match='hidden must be a list of widths .* at least 1, got'):
        MLPHead(4, 3, hidden=hidden)


@pytest.mark.parametrize('std', [-0.1, float('nan')])
def test_initial_weights_of_no_deviation_are_refused(std):
    with pytest.raises(UserError, match='init_std must be a finite number of at least 0, got'):
        LinearHead(4, 3, init_std=std)


@torch.no_grad()
def test_the_head_of_levit_scales_before_it_scores():
    head = NormHead(6, 3).eval()
    head.bn.running_mean.normal_()
    head.bn.weight.normal_()
    average = FEATURE.mean((2, 3))
    scaled = (average - head.bn.running_mean) * head.bn.weight / (1 + head.bn.eps) ** 0.5
    assert torch.allclose(head(FEATURE), head.fc(scaled + head.bn.bias), atol=1e-6)


def test_vectors_that_are_no_picture_are_all_read():
    head = LinearHead(6, 3, pixels=2)
    two = FEATURE[:, :, :1, :2]
    assert head.fc.in_features == 12
    assert torch.allclose(head(two), head.fc(two.flatten(1)))
    with pytest.raises(RuntimeError, match='shapes cannot be multiplied'):
        head(FEATURE[:, :, :1, :3])


@pytest.mark.parametrize('kind', [LinearHead, NormHead])
def test_linear_heads_drop_features_in_training_alone(kind):
    head = kind(6, 3, dropout=0.5)
    assert not torch.equal(head(FEATURE), head(FEATURE))
    assert torch.equal(head.eval()(FEATURE), head(FEATURE))
    with pytest.raises(UserError, match='dropout must be in 0 <= p < 1, got 1'):
        kind(6, 3, dropout=1)


def test_no_pixels_are_refused():
    with pytest.raises(UserError, match='pixels must be a whole number of at least 1, got 0'):
        LinearHead(6, 3, pixels=0)
