"""Networks of which single weights or inputs were removed: masks, zeros, channel selections."""

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.inheriting import check_masks
from rethink_det.convert import convert_checkpoint
from rethink_det.convert.unstructured import masks_of_zeros


@pytest.fixture
def saved(tmp_path):
    """Writes a state dict and returns its file."""

    def write(state):
        torch.save(dict(state), tmp_path / 'foreign.pth')
        return tmp_path / 'foreign.pth'

    return write


@pytest.fixture
def network(cifar, unsettle):
    torch.manual_seed(0)
    return unsettle(cifar().build_network()).eval()


@torch.no_grad()
def scores(converted, images):
    return converted.architecture.network_with(converted.state_dict).eval()(images)


# -- masks ---------------------------------------------------------------------------------


@torch.no_grad()
def test_masks_of_torch_are_kept_as_they_are(cifar, network, saved):
    images = torch.randn(2, 3, 16, 16)
    for layer in (network.backbone.conv1, network.backbone.layer2[0].conv2, network.head.fc):
        prune.l1_unstructured(layer, 'weight', amount=0.3)
    prune.random_unstructured(network.head.fc, 'bias', amount=1)
    want = network(images)
    converted = convert_checkpoint(saved(network.state_dict()), cifar())
    assert {n: m.sum().item() for n, m in converted.masks.items()} == {
        'backbone.conv1.weight': 76, 'backbone.layer2.0.conv2.weight': 403, 'head.fc.weight': 34
    }  # fmt: skip
    assert torch.allclose(scores(converted, images), want, atol=1e-6)
    assert torch.equal(converted.masks['head.fc.weight'], network.head.fc.weight_mask.bool())
    check_masks(converted.architecture, converted.masks)
    assert converted.architecture.cost().params == cifar().cost().params - 32 - 173 - 14


def test_a_mask_keeps_a_weight_that_happens_to_be_zero(cifar, network, saved):
    prune.l1_unstructured(network.backbone.conv1, 'weight', amount=1)
    with torch.no_grad():
        network.backbone.conv1.weight_orig.zero_()
    mask = convert_checkpoint(saved(network.state_dict()), cifar()).masks['backbone.conv1.weight']
    assert mask.sum() == mask.numel() - 1


@torch.no_grad()
def test_zeros_become_masks_where_asked_for(cifar, network, saved):
    removed = network.backbone.layer1[0].conv2.weight.abs() < 0.05
    network.backbone.layer1[0].conv2.weight[removed] = 0
    converted = convert_checkpoint(saved(network.state_dict()), cifar(), zeros=0.01)
    assert list(converted.masks) == ['backbone.layer1.0.conv2.weight']
    assert torch.equal(converted.masks['backbone.layer1.0.conv2.weight'], ~removed)
    assert converted.architecture.masks['kept'] == {
        'backbone.layer1.0.conv2.weight': (~removed).sum().item()
    }


@torch.no_grad()
def test_zeros_that_nobody_asked_for_are_told(cifar, network, saved):
    network.backbone.layer3[0].conv1.weight[0] = 0
    converted = convert_checkpoint(saved(network.state_dict()), cifar())
    assert not converted.masks
    assert not converted.architecture.masks
    assert 'first backbone.layer3.0.conv1.weight, have 1% exact zeros' in converted.inferred[-1]


@torch.no_grad()
def test_fewer_zeros_than_the_share_are_chance(network):
    network.backbone.conv1.weight.flatten()[:10] = 0  # of 108, but this is a copy
    network.backbone.conv1.weight.view(-1)[:10] = 0
    network.backbone.layer1[0].conv1.weight.view(-1)[:10] = 0  # of 144
    assert list(masks_of_zeros(network, 0.08)) == ['backbone.conv1.weight']
    assert len(masks_of_zeros(network, 0.05)) == 2


def test_a_dense_network_has_no_masks(cifar, network, saved):
    with pytest.raises(UserError, match=r'foreign\.pth: No layer has 1\.0% exact zeros; most has'):
        convert_checkpoint(saved(network.state_dict()), cifar(), zeros=0.01)


@pytest.mark.parametrize('share', [0, -1, 1.5])
def test_an_impossible_share_is_refused(network, share):
    with pytest.raises(UserError, match='must be above 0 and at most 1'):
        masks_of_zeros(network, share)


@pytest.mark.parametrize('half', ['weight_orig', 'weight_mask'])
def test_half_of_a_masked_weight_is_refused(cifar, network, saved, half):
    prune.l1_unstructured(network.backbone.conv1, 'weight', amount=0.3)
    state = dict(network.state_dict())
    del state[f'backbone.conv1.{half}']
    with pytest.raises(UserError, match=r'backbone\.conv1\.weight is pruned by torch'):
        convert_checkpoint(saved(state), cifar())


def test_masks_of_another_shape_are_refused(cifar, network, saved):
    prune.l1_unstructured(network.backbone.conv1, 'weight', amount=0.3)
    state = dict(network.state_dict())
    state['backbone.conv1.weight_mask'] = torch.ones(1)
    with pytest.raises(UserError, match=r'weight_mask of one shape'):
        convert_checkpoint(saved(state), cifar())


# -- channel selections --------------------------------------------------------------------


class Select(nn.Module):
    """The channel selection layer of Network Slimming's code: a parameter of 0 and 1."""

    def __init__(self, width, kept):
        super().__init__()
        self.indexes = nn.Parameter(torch.zeros(width).index_fill(0, torch.tensor(kept), 1))

    def forward(self, x):
        return x[:, self.indexes.nonzero().flatten()]


class Block(nn.Module):
    """A pre-activation bottleneck that reads some of the stream, as that code has it."""

    def __init__(self, inputs, kept, widths, outputs, stride):
        super().__init__()
        self.bn1, self.select = nn.BatchNorm2d(inputs), Select(inputs, kept)
        self.conv1 = nn.Conv2d(len(kept), widths[0], 1, bias=False)
        self.bn2 = nn.BatchNorm2d(widths[0])
        self.conv2 = nn.Conv2d(widths[0], widths[1], 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(widths[1])
        self.conv3 = nn.Conv2d(widths[1], outputs, 1, bias=False)
        self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False))

    def forward(self, x):
        out = self.conv1(self.select(self.bn1(x)).relu())
        out = self.conv2(self.bn2(out).relu())
        return self.conv3(self.bn3(out).relu()) + self.downsample(x)


class Slimmed(nn.Module):
    """PreResNet-11 of base width 4 as Network Slimming's code writes it."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.layer1 = nn.Sequential(Block(4, [0, 2, 3], (3, 4), 16, 1))
        self.layer2 = nn.Sequential(Block(16, [1, 5, 6, 15], (8, 2), 32, 2))
        self.layer3 = nn.Sequential(Block(32, list(range(32)), (16, 16), 64, 2))
        self.bn, self.select = nn.BatchNorm2d(64), Select(64, [0, 7, 63])
        self.fc = nn.Linear(3, 5)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.fc(self.select(self.bn(x)).relu().mean((2, 3)))


PRERESNET = PrunedArchitecture(
    dict(type='rethink_det.PreResNet', depth=11, base_channels=4),
    dict(type='rethink_det.LinearHead', num_classes=10),
    (3, 32, 32),
)


@pytest.mark.parametrize('prefix', ['', 'module.'])
@torch.no_grad()
def test_selections_of_network_slimming_are_read(unsettle, saved, prefix):
    torch.manual_seed(0)
    theirs, images = unsettle(Slimmed()).eval(), torch.randn(2, 3, 32, 32)
    state = {prefix + name: tensor for name, tensor in theirs.state_dict().items()}
    converted = convert_checkpoint(saved({'cfg': [3, 3, 4], 'state_dict': state}), PRERESNET)
    assert converted.architecture.selections == {
        'layer1.0.conv1': (0, 2, 3), 'layer2.0.conv1': (1, 5, 6, 15), 'head.fc': (0, 7, 63)
    }  # fmt: skip
    assert converted.architecture.channels == {
        'layer1.0.conv1': 3, 'layer2.0.conv2': 2
    }  # fmt: skip
    assert torch.allclose(scores(converted, images), theirs(images), atol=1e-5)


def test_a_selection_that_does_not_fit_its_reader_is_refused(saved):
    state = dict(Slimmed().state_dict())
    state['layer1.0.select.indexes'] = torch.tensor([1.0, 1, 0, 0])
    with pytest.raises(UserError, match=r'layer1\.0\.conv1 reads 3 channels, but .* makes 2'):
        convert_checkpoint(saved(state), PRERESNET)


def test_a_selection_in_a_network_that_has_none_is_refused(cifar, network, saved):
    state = {**network.state_dict(), 'layer9.0.select.indexes': torch.tensor([1.0, 0, 0])}
    with pytest.raises(UserError, match=r'foreign\.pth: .*layer9\.0\.fc'):
        convert_checkpoint(saved(state), cifar())


@pytest.mark.parametrize('share', ['half', True])
def test_a_share_that_is_no_number_is_refused(network, share):
    with pytest.raises(UserError, match='The share of zeros must be a finite number, got'):
        masks_of_zeros(network, share)
