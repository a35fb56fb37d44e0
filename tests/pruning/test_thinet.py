"""ThiNet: which channels its greedy search removes, and how it scales the others."""

from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.architecture.checkpoint import digest
from rethink_det.pruning import ThiNetPruner, build_pruner, prune
from rethink_det.pruning.thinet import contributions, greedy, rescaling

LAYER = 'layer2.0.conv1'


def images(architecture, count=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, *architecture.input_shape, generator=generator)


@pytest.fixture
def network(parents):
    architecture, state = parents('cifar-resnet')
    return architecture, architecture.network_with(state).eval()


def random_contributions(samples, channels, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(samples, channels, dtype=torch.float64, generator=generator)


# -- algorithm 1 ---------------------------------------------------------------------------


def test_the_channels_whose_sum_is_small_go_not_those_that_are_small():
    x = torch.tensor([[3, -3, 1, 1], [2, -2, 1, 2], [0, 0, 1, 1]], dtype=torch.float64)
    # Alone they are 13, 13, 3 and 6. With the third, the first makes 26, the second 6, the
    # fourth 17; with these two, the first makes 3 and the fourth 4.
    assert [greedy(x.T @ x, count) for count in (3, 2, 1)] == [(0, 1, 3), (0, 3), (3,)]


@given(st.integers(0, 99), st.integers(2, 6), st.data())
def test_the_first_removal_is_the_best_and_orthogonal_ones_are_all(seed, channels, data):
    count = data.draw(st.integers(1, channels - 1))
    x = random_contributions(20, channels, seed)

    def lost(kept):
        return x[:, [i for i in range(channels) if i not in kept]].sum(1).square().sum()

    best = min(combinations(range(channels), channels - 1), key=lost)
    assert greedy(x.T @ x, channels - 1) == best
    x = torch.linalg.qr(x)[0] * (1 + torch.rand(channels))
    assert greedy(x.T @ x, count) == min(combinations(range(channels), count), key=lost)


def test_of_equal_channels_the_first_goes():
    assert greedy(torch.eye(4, dtype=torch.float64), 2) == (2, 3)


# -- equation 7 ----------------------------------------------------------------------------


@pytest.mark.parametrize('gain', [0, 1])
def test_scales_are_those_of_least_squares(gain):
    x, kept = random_contributions(50, 6, 0), (0, 2, 5)
    more = gain * random_contributions(50, 1, 1)[:, 0]
    expected = torch.linalg.lstsq(x[:, kept], (x.sum(1) + more)[:, None]).solution[:, 0]
    torch.testing.assert_close(rescaling(x, more, kept), expected, rtol=1e-5, atol=1e-5)


def test_multiples_are_taken_over_and_silent_channels_stay_as_they_are():
    x = random_contributions(50, 3, 0)
    x = torch.cat([x, 2 * x[:, :1], -0.5 * x[:, 1:2], 0 * x[:, :1]], 1)
    found = rescaling(x, torch.zeros(50), (0, 1, 2, 5))
    torch.testing.assert_close(found.tolist(), [3.0, 0.5, 1.0, 1.0], rtol=1e-4, atol=1e-4)


def test_contributions_add_up_to_the_entries():
    inputs, weight = torch.randn(300, 4, 9), torch.randn(5, 4, 9)
    channels = torch.randint(5, (300, 2))
    entries = torch.einsum('ncf,ocf->no', inputs, weight).gather(1, channels)
    added = contributions(inputs, weight, channels).sum(1).view(300, 2)
    torch.testing.assert_close(added, entries, rtol=1e-4, atol=1e-4)


# -- the pruner ----------------------------------------------------------------------------


@torch.no_grad()
def test_channels_that_the_next_layer_does_not_hear_go_and_nothing_changes(network):
    architecture, model = network
    block, unheard = model.backbone.layer2[0], [1, 4, 9, 30]
    block.bn1.bias.fill_(0.5)
    block.conv2.weight[:, [4, 30]] = 0
    block.bn1.weight[[1, 9]], block.bn1.bias[[1, 9]] = 0, -1
    result = prune(model, ThiNetPruner(ratios={LAYER: 0.12}), architecture, [images(architecture)])
    kept = result.architecture.channels[LAYER]
    assert sorted(set(range(32)) - set(kept)) == unheard
    small = result.architecture.network_with(result.state_dict).eval()
    held_out = images(architecture, seed=1)
    torch.testing.assert_close(small(held_out), model(held_out), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_of_two_channels_that_do_the_same_one_does_it_all(network):
    architecture, model = network
    block = model.backbone.layer2[0]
    for tensor in (block.conv1.weight, block.bn1.weight, block.bn1.bias, block.bn1.running_mean,
                   block.bn1.running_var):  # fmt: skip
        tensor[7] = tensor[3]
    block.bn1.bias.fill_(0.5)
    block.bn1.weight[[3, 7]], block.bn1.bias[[3, 7]] = 0.05, 0.05
    block.conv2.weight[:, 7] = 2 * block.conv2.weight[:, 3]
    pruner = ThiNetPruner(ratios={LAYER: 0.03})
    result = prune(model, pruner, architecture, [images(architecture)])
    kept = list(result.architecture.channels[LAYER])
    assert set(range(32)) - set(kept) == {3}
    small = result.architecture.network_with(result.state_dict).eval()
    factor = small.backbone.layer2[0].conv2.weight / block.conv2.weight[:, kept]
    assert factor[:, kept.index(7)].mean() == pytest.approx(1.5, rel=0.02)
    held_out = images(architecture, seed=1)
    torch.testing.assert_close(small(held_out), model(held_out), rtol=1e-3, atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize('name', ['cifar-resnet', 'resnet50', 'vgg-flat', 'densenet'])
@pytest.mark.parametrize('compensate', [False, True])
def test_cutting_gives_what_silencing_gave(parents, name, compensate):
    architecture, state = parents(name)
    model = architecture.network_with(state)
    surgeon = Surgeon(model, architecture.input_shape, 'backbone.')
    pruner = ThiNetPruner(ratios=0.4, images=8, compensate=compensate)
    cut = pruner.find(surgeon, architecture, [images(architecture)])
    held_out = images(architecture, 2, seed=1)
    silenced = model.eval()(held_out)
    cut.apply(surgeon)
    torch.testing.assert_close(model(held_out), silenced, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_scales_lower_the_error_and_compensation_lowers_it_further():
    backbone = dict(type='rethink_det.VGG', depth=11, base_channels=8, last_pool=False)
    head = dict(type='rethink_det.LinearHead', num_classes=4)
    architecture = PrunedArchitecture({**backbone, 'norm': False}, head, (3, 32, 32))
    torch.manual_seed(0)
    model = architecture.build_network().eval()
    data, held_out = [images(architecture, 64)], images(architecture, 64, seed=1)
    expected = model(held_out)

    def error(state):
        found = result.architecture.network_with(state).eval()(held_out)
        return ((found - expected).square().mean() / expected.square().mean()).item()

    result = prune(model, ThiNetPruner(ratios=0.3), architecture, data)
    scaled = error(result.state_dict)
    assert scaled < error(result.architecture.inherit(model.state_dict()))
    result = prune(model, ThiNetPruner(ratios=0.3, compensate=True), architecture, data)
    assert error(result.state_dict) < scaled


def test_a_seed_repeats_and_leaves_the_global_generator_alone(network):
    architecture, model = network
    data = [images(architecture)]

    def pruned(seed):
        torch.rand(3)
        pruner = dict(type='ThiNetPruner', ratios=0.5, images=16, locations=2, seed=seed)
        return prune(model, pruner, architecture, data)

    torch.manual_seed(0)
    state, again = torch.get_rng_state(), pruned(0)
    assert digest(again.state_dict) == digest(pruned(0).state_dict)
    assert again.architecture.digest != pruned(1).architecture.digest
    torch.manual_seed(0)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize('settings', [dict(images=0), dict(locations=0), dict(images=-3)])
def test_no_images_or_no_places_are_refused(settings):
    with pytest.raises(UserError, match='ThiNetPruner needs at least 1 image and 1 location'):
        build_pruner(dict(type='ThiNetPruner', ratios=0.5, **settings))
