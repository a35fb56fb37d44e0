"""The CIFAR ResNet: its shape, and its two parameter-free shortcuts by definition."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.fitting import load_exactly
from rethink_det.architecture.network import Network
from rethink_det.classification import CifarResNet, LinearHead

SHORTCUTS = ('avgpool', 'subsample', 'subsample-append')


@pytest.mark.parametrize('shortcut', SHORTCUTS)
@pytest.mark.parametrize('depth, base', [(8, 4), (20, 16)])
def test_three_stages_of_doubling_width_and_halving_size(depth, base, shortcut):
    features = CifarResNet(depth, base, shortcut)(torch.randn(2, 3, 32, 32))
    assert [f.shape for f in features] == [
        (2, base, 32, 32), (2, 2 * base, 16, 16), (2, 4 * base, 8, 8)
    ]  # fmt: skip


@given(st.integers(1, 6))
def test_depth_counts_the_layers_with_weights(blocks):
    network = CifarResNet(6 * blocks + 2, 2)
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) + 1 == 6 * blocks + 2  # and the head


@pytest.mark.parametrize('depth', [21, 2, 0, -4, 18, 48])
def test_another_depth_is_refused(depth):
    with pytest.raises(UserError, match=rf'depth must be 6n \+ 2 .*got {depth}'):
        CifarResNet(depth)


def test_an_unknown_shortcut_is_refused():
    with pytest.raises(UserError, match=r"one of \('avgpool', 'subsample', .*, got 'projection'"):
        CifarResNet(8, shortcut='projection')


# -- shortcuts -----------------------------------------------------------------------------


def silent_block(shortcut, stage, base=4):
    """First block of a stage, its residual branch set to zero: the shortcut alone is left."""
    block = CifarResNet(8, base, shortcut).eval().get_submodule(f'layer{stage}.0')
    torch.nn.init.zeros_(block.bn2.weight)
    return block


def positive(channels, size=6):
    return torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0)) + 0.1


@pytest.mark.parametrize('base', [4, 3])
@pytest.mark.parametrize('shortcut, share', [('subsample', 2), ('subsample-append', 0)])
def test_subsampling_takes_every_second_pixel_and_pads_both_sides_or_the_end(base, shortcut, share):
    images = positive(base)
    out = silent_block(shortcut, 2, base)(images)
    assert out.shape == (2, 2 * base, 3, 3)
    before = base // share if share else 0
    for row in range(3):
        for column in range(3):
            pixel = out[:, before : before + base, row, column]
            assert torch.equal(pixel, images[:, :, 2 * row, 2 * column])
    assert not out[:, :before].any() and not out[:, before + base :].any()


def test_appending_is_what_the_authors_of_soft_filter_pruning_compute():
    """Their ``DownsampleA``: pools of one pixel, and the map itself times zero behind it."""
    images = positive(4)
    pooled = torch.nn.AvgPool2d(kernel_size=1, stride=2)(images)
    theirs = torch.cat((pooled, pooled.mul(0)), 1)
    assert torch.equal(silent_block('subsample-append', 2)(images), theirs)


def test_avgpool_averages_two_by_two_and_pads_the_end():
    images = positive(4)
    out = silent_block('avgpool', 2)(images)
    assert out.shape == (2, 8, 3, 3)
    for row in range(3):
        for column in range(3):
            window = images[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            assert torch.allclose(out[:, :4, row, column], window.mean(dim=(2, 3)))
    assert not out[:, 4:].any()


@pytest.mark.parametrize('shortcut', SHORTCUTS)
def test_without_change_of_shape_the_shortcut_is_the_identity(shortcut):
    images = positive(4)
    assert torch.equal(silent_block(shortcut, 1)(images), images)


@pytest.mark.parametrize('shortcut', SHORTCUTS)
@pytest.mark.parametrize('stage, channels', [(1, 4), (2, 4), (3, 8)])
def test_gradients_flow_through_the_shortcut(shortcut, stage, channels):
    images = positive(channels).requires_grad_()
    silent_block(shortcut, stage)(images).sum().backward()
    reached = images.grad != 0
    assert reached.all() if shortcut == 'avgpool' or stage == 1 else reached[:, :, ::2, ::2].all()
    # Every channel that is passed on counts once, whatever the pooling.
    weight = 0.25 if shortcut == 'avgpool' and stage > 1 else 1
    assert torch.allclose(images.grad[:, :, 0, 0], torch.tensor(float(weight)))


@pytest.mark.parametrize('shortcut', SHORTCUTS)
@pytest.mark.parametrize('stage, channels', [(1, 4), (2, 4), (3, 8)])
def test_without_its_residual_branch_a_block_is_its_shortcut(shortcut, stage, channels):
    block = silent_block(shortcut, stage)
    images = positive(channels) - 0.6
    before = images.clone()
    left = block.without_residual()
    assert torch.equal(left(images), block(images)) and not list(left.parameters())
    assert torch.equal(block.shortcut(images).relu(), block(images))
    assert torch.equal(images, before)


# -- initial weights -----------------------------------------------------------------------


def test_initial_weights_are_kaiming_by_fan_out():
    torch.manual_seed(0)
    network = CifarResNet(8, 64)
    network.init_weights()
    for name, weight in network.named_parameters():
        if name.endswith('conv1.weight') and weight.numel() > 10_000:
            expected = (2 / (9 * weight.shape[0])) ** 0.5
            assert weight.std().item() == pytest.approx(expected, rel=0.05), name
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert all((norm.weight == 1).all() and not norm.bias.any() for norm in norms)


# -- public weights ------------------------------------------------------------------------


@pytest.fixture(scope='module')
def public_weights(shared):
    path = shared / 'weights' / 'resnet56-4bfd9763.th'
    if not path.is_file():
        pytest.skip(f'{path} is not there')
    return path


def test_public_weights_load_whole(public_weights):
    state = Checkpoint.read(public_weights).weights
    network = Network(CifarResNet(56, shortcut='subsample'), LinearHead(64, 10)).eval()
    load_exactly(network, state)
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in state.items())
    with torch.no_grad():
        scores = network(torch.randn(4, 3, 32, 32))
    assert torch.isfinite(scores).all() and scores.std() > 1


def test_public_weights_do_not_load_into_another_depth(public_weights):
    state = Checkpoint.read(public_weights).weights
    with pytest.raises(UserError, match='backbone.layer1.9.conv1.weight'):
        load_exactly(Network(CifarResNet(110), LinearHead(64, 10)), state)


@pytest.mark.parametrize('depth', ['20', 20.0, None])
def test_a_depth_that_is_no_whole_number_is_refused(depth):
    with pytest.raises(UserError, match=rf'depth must be 6n \+ 2 .*, got {depth}'):
        CifarResNet(depth)


@pytest.mark.parametrize('width', [0, -4, 1.5, '8'])
def test_a_width_that_is_no_count_is_refused(width):
    with pytest.raises(UserError, match='base_channels must be a whole number of at least 1, got'):
        CifarResNet(8, base_channels=width)
