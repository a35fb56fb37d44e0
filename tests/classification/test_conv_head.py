"""The head of EfficientNets: what it computes, how it starts, what is refused."""

import pytest
import torch
import torch.nn.functional as F

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.classification import ConvHead

FEATURE = torch.randn(4, 6, 8, 8, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_it_widens_normalises_averages_and_scores(unsettle):
    torch.manual_seed(0)
    head = unsettle(ConvHead(6, 3, channels=10, norm_eps=0.1)).eval()
    norm = head.bn
    wide = torch.einsum('nchw,dc->ndhw', FEATURE, head.conv.weight[:, :, 0, 0])
    wide = F.batch_norm(
        wide, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=0.1
    ).clamp(0, 6)
    expected = wide.mean((2, 3)) @ head.fc.weight.T + head.fc.bias
    assert torch.allclose(head(FEATURE), expected, atol=1e-5)


def test_dropout_acts_in_training_alone():
    head = ConvHead(6, 3)
    assert not torch.equal(head(FEATURE), head(FEATURE))
    head.eval()
    assert torch.equal(head(FEATURE), head(FEATURE))


def test_it_starts_by_the_fan_out():
    torch.manual_seed(0)
    head = ConvHead(100, 25, channels=400)
    head.init_weights()
    assert head.conv.weight.std().item() == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert head.fc.weight.abs().max().item() == pytest.approx(1 / 25**0.5, rel=0.01)
    assert not head.fc.bias.any()


def test_cutting_the_last_layer_cuts_what_its_convolution_reads(unsettle):
    torch.manual_seed(0)
    backbone = dict(type='rethink_det.VGG', depth=11, last_pool=False)
    head = dict(type='rethink_det.ConvHead', num_classes=3, channels=10)
    architecture = PrunedArchitecture(backbone, head, (3, 32, 32))
    cut, zeroed = (unsettle(architecture.build_network()).eval() for _ in range(2))
    zeroed.load_state_dict(cut.state_dict())
    kept = {'features.25': tuple(range(0, 512, 3))}
    Surgeon(cut, (3, 32, 32), 'backbone.').cut(kept)
    Surgeon(zeroed, (3, 32, 32), 'backbone.').zero(kept)
    images = torch.randn(2, 3, 32, 32)
    assert cut.head.conv.in_channels == len(kept['features.25'])
    assert cut.head.conv.out_channels == 10
    assert (cut(images) - zeroed(images)).abs().max() <= 1e-5


@pytest.mark.parametrize('settings', [dict(dropout=1), dict(activation='Tanh')], ids=str)
def test_impossible_settings_are_named(settings):
    with pytest.raises(UserError, match=f'ConvHead needs.*{list(settings.values())[0]}'):
        ConvHead(6, 3, **settings)


@pytest.mark.parametrize('classes', [0, -1, '10', None])
def test_classes_that_are_no_count_are_refused(classes):
    with pytest.raises(UserError, match='num_classes must be a whole number of at least 1, got'):
        ConvHead(4, classes)


@pytest.mark.parametrize('channels', [0, -1, 1.5, '1280'])
def test_a_width_that_is_no_count_is_refused(channels):
    with pytest.raises(UserError, match='channels must be a whole number of at least 1, got'):
        ConvHead(4, 3, channels=channels)
