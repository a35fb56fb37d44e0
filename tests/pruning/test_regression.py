"""Channel pruning by regression: the LASSO's problem, the refitted weights, residual blocks."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.blocks import residual_blocks
from rethink_det.architecture.checkpoint import digest
from rethink_det.pruning import RegressionPruner, build_pruner, prune
from rethink_det.pruning.lasso import lasso
from rethink_det.pruning.regression import branch_end, choose, lasso_problem, refit
from tests.slow_ones import slow_where

LAYER = 'layer2.0.conv1'


def images(architecture, count=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, *architecture.input_shape, generator=generator)


@pytest.fixture
def network(parents):
    architecture, state = parents('cifar-resnet')
    return architecture, architecture.network_with(state).eval()


def regression(samples=60, outputs=5, channels=4, cells=3, seed=0):
    """Random inputs, weights and errors."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (samples, channels, cells), (outputs, channels, cells), (samples, outputs)
    return [torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes]


def pruned(network, data, **settings):
    architecture, model = network
    result = prune(model, RegressionPruner(**settings), architecture, [data])
    return result, result.architecture.network_with(result.state_dict).eval()


# -- section 3.1 ---------------------------------------------------------------------------


@pytest.mark.parametrize('columns', [1, 6, 1024])
def test_the_problem_is_that_of_the_channels_contributions(monkeypatch, columns):
    monkeypatch.setattr('rethink_det.pruning.regression.COLUMNS', columns)
    inputs, weight, error = regression()
    gram, target, norms = lasso_problem(inputs, weight, error)
    z = torch.einsum('ncf,ocf->cno', inputs, weight).flatten(1)
    torch.testing.assert_close(gram, z @ z.T)
    torch.testing.assert_close(target, z @ (z.sum(0) + error.flatten()))
    torch.testing.assert_close(norms, weight.square().sum((0, 2)))


def test_the_choice_is_the_lassos_among_channels_whose_weights_have_norm_1():
    inputs, weight, error = regression(channels=8)
    gram, target, norms = lasso_problem(inputs, weight, error)
    z = torch.einsum('ncf,ocf->cno', inputs, weight / norms.sqrt()[:, None]).flatten(1)
    wanted = torch.einsum('ncf,ocf->no', inputs, weight) + error
    active = lasso(z @ z.T, z @ wanted.flatten(), 5).active
    assert choose(gram, target, norms, 5) == tuple(active.nonzero().flatten().tolist())


def test_silent_channels_are_chosen_last():
    inputs, weight, error = regression(channels=8)
    weight[:, 2] = inputs[:, 5] = 0
    assert choose(*lasso_problem(inputs, weight, error), 6) == (0, 1, 3, 4, 6, 7)
    assert choose(*lasso_problem(inputs, weight, error), 7) == (0, 1, 2, 3, 4, 6, 7)
    assert choose(*lasso_problem(inputs, 0 * weight, error), 3) == (0, 1, 2)


def test_the_fit_is_that_of_least_squares():
    inputs, weight, error = regression()
    kept = (0, 2)
    wanted = torch.einsum('ncf,ocf->no', inputs, weight) + error
    expected = torch.linalg.lstsq(inputs[:, kept].flatten(1), wanted).solution.T
    found = refit(inputs, weight, error, kept, ridge=0)
    torch.testing.assert_close(found.flatten(1), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('samples', [5, 6, 7])
def test_more_unknowns_than_samples_are_fitted_as_well(samples):
    """The change of the weights is the ridge regression of what is missing."""
    inputs, weight, error = regression(samples=samples)
    kept, x = (1, 3), inputs[:, [1, 3]].flatten(1)
    missing = error + torch.einsum('ncf,ocf->no', inputs[:, [0, 2]], weight[:, [0, 2]])
    ridge = 0.3 * x.square().sum() / samples
    change = torch.linalg.inv(x.T @ x + ridge * torch.eye(6)) @ x.T @ missing
    found = refit(inputs, weight, error, kept, ridge=0.3)
    torch.testing.assert_close(found - weight[:, kept], change.T.reshape(5, 2, 3))


def test_channels_that_are_mixtures_of_the_kept_ones_are_made_up_for():
    inputs, weight, error = regression(channels=6)
    inputs[:, 3:] = torch.einsum('nkf,ck->ncf', inputs[:, :3], torch.randn(3, 3).double())
    fitted = refit(inputs, weight, 0 * error, (0, 1, 2), ridge=0)
    before, after = (
        torch.einsum('ncf,ocf->no', x, w) for x, w in ((inputs, weight), (inputs[:, :3], fitted))
    )
    torch.testing.assert_close(after, before, rtol=1e-6, atol=1e-6)


def test_without_anything_missing_weights_stay():
    inputs, weight, error = regression()
    inputs[:, 1] = 0
    torch.testing.assert_close(
        refit(inputs, weight, 0 * error, (0, 2, 3), 1.0), weight[:, [0, 2, 3]]
    )
    silent = refit(0 * inputs, weight, error, (0, 1), 0.0)
    torch.testing.assert_close(silent, weight[:, :2])


# -- section 3.2 ---------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize('ridge', [0, 1])
def test_superfluous_channels_go_and_nothing_changes(network, ridge):
    architecture, model = network
    block = model.backbone.layer2[0]
    block.bn1.bias.fill_(0.5)
    block.conv2.weight[:, [4, 30]] = 0
    block.bn1.weight[[1, 9]], block.bn1.bias[[1, 9]] = 0, -1
    for tensor in (block.conv1.weight, *block.bn1.state_dict().values()):
        if tensor.dim():
            tensor[7] = tensor[3]
    block.conv2.weight[:, 7] = 0.5 * block.conv2.weight[:, 3]
    result, small = pruned(network, images(architecture, 64), ratios={LAYER: 0.15}, ridge=ridge)
    gone = set(range(32)) - set(result.architecture.channels[LAYER])
    assert gone in ({1, 4, 9, 30, 3}, {1, 4, 9, 30, 7})
    held_out = images(architecture, seed=1)
    error, expected = small(held_out) - model(held_out), model(held_out)
    assert error.square().mean() <= (1e-3 if ridge else 1e-10) * expected.square().mean()


def feature_error(small, model, held_out):
    with torch.no_grad():
        found, wanted = (net.backbone(held_out)[-1] for net in (small, model))
    return ((found - wanted).square().mean() / wanted.square().mean()).item()


def test_the_fit_lowers_the_error_and_making_up_for_the_shortcut_lowers_it_further(network):
    architecture, model = network
    data, held_out = images(architecture, 128), images(architecture, 32, seed=1)
    result, with_both = pruned(network, data, ratios=0.5)
    _, fitted = pruned(network, data, ratios=0.5, residual_compensation=False)
    inherited = result.architecture.inherit(model.state_dict())
    bare = result.architecture.network_with(inherited).eval()
    errors = [feature_error(net, model, held_out) for net in (with_both, fitted, bare)]
    assert errors[0] < errors[1] < errors[2]


def test_a_residual_branch_ends_with_its_last_convolution(parents):
    for name, last in (('cifar-resnet', 2), ('resnet50', 3), ('preresnet', 3), ('preact', 3)):
        architecture, state = parents(name)
        for block in residual_blocks(architecture.network_with(state)).values():
            assert branch_end(block) is getattr(block, f'conv{last}')


# -- selections ----------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize('name', ['resnet50', 'preact', 'preresnet', 'cifar-resnet'])
def test_first_convolutions_select_and_cutting_gives_what_silencing_gave(parents, name):
    architecture, state = parents(name)
    model = architecture.network_with(state)
    surgeon = Surgeon(model, architecture.input_shape, 'backbone.')
    stem = [] if name == 'cifar-resnet' else ['conv1']
    pruner = RegressionPruner(ratios=0.3, skip=stem, block_inputs=0.5, images=8)
    cut = pruner.find(surgeon, architecture, [images(architecture)])
    blocks = residual_blocks(model)
    assert set(cut.selections) == {f'{block}.conv1'.removeprefix('backbone.') for block in blocks}
    widths = {block: module.conv1.in_channels for block, module in blocks.items()}
    held_out = images(architecture, 2, seed=1)
    silenced = model.eval()(held_out)
    cut.apply(surgeon)
    torch.testing.assert_close(model.eval()(held_out), silenced, rtol=1e-4, atol=1e-4)
    for block, width in widths.items():
        assert model.get_submodule(block).conv1.in_channels == width // 2

    found = architecture.after(cut)
    assert PrunedArchitecture.from_dict(found.to_dict()) == found
    again = found.network_with(model.state_dict()).eval()
    torch.testing.assert_close(again(held_out), silenced, rtol=1e-4, atol=1e-4)


def test_selected_inputs_are_refitted(network):
    architecture, model = network
    data, held_out = images(architecture, 128), images(architecture, 32, seed=1)
    pattern = {'layer2.*': 0.4}
    result, small = pruned(network, data, ratios={LAYER: 0}, block_inputs=pattern)
    selections = result.architecture.selections
    assert {layer: len(kept) for layer, kept in selections.items()} == {
        'layer2.0.conv1': 9, 'layer2.1.conv1': 19,
    }  # fmt: skip
    bare = architecture.network_with(model.state_dict())
    Cut(selections=selections).zero(Surgeon(bare, architecture.input_shape, 'backbone.'))
    errors = [feature_error(net.eval(), model, held_out) for net in (small, bare)]
    assert errors[0] < errors[1]


def test_a_target_gives_its_widths_and_selections_and_a_second_pruning_goes_on(network):
    architecture, model = network
    data = images(architecture)
    first, small = pruned(network, data, ratios=0.25, block_inputs=0.25)
    again, _ = pruned(network, data, target=first.architecture.to_dict())
    assert again.architecture == first.architecture
    assert digest(again.state_dict) == digest(first.state_dict)

    narrower, _ = pruned(network, data, ratios=0.5, block_inputs=0.5)
    second = RegressionPruner(target=narrower.architecture, images=16)
    result = prune(small, second, first.architecture, [data])
    for layer, kept in narrower.architecture.selections.items():
        assert len(result.architecture.selections[layer]) == len(kept)
        assert set(result.architecture.selections[layer]) < set(
            first.architecture.selections[layer]
        )


@pytest.mark.parametrize('wants, message', [(0.25, '12 channels; it reads only 8'), (0, 'all')])
def test_a_target_that_reads_more_is_refused(network, wants, message):
    data = images(network[0], 4)
    wider, _ = pruned(network, data, ratios=0.5, block_inputs=wants)
    narrow, small = pruned(network, data, ratios=0.25, block_inputs=0.5)
    pruner = RegressionPruner(target=wider.architecture)
    with pytest.raises(UserError, match=f'target lets layer1.0.conv1 read {message}'):
        prune(small, pruner, narrow.architecture, [data])


# -- the rest ------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize('name', slow_where('vgg-flat', ['vgg-flat', 'vgg-plain', 'densenet-bc']))
def test_cutting_gives_what_silencing_gave(parents, name):
    architecture, state = parents(name)
    model = architecture.network_with(state)
    surgeon = Surgeon(model, architecture.input_shape, 'backbone.')
    cut = RegressionPruner(ratios=0.4, images=4).find(
        surgeon, architecture, [images(architecture, 4)]
    )
    held_out = images(architecture, 2, seed=1)
    silenced = model.eval()(held_out)
    cut.apply(surgeon)
    torch.testing.assert_close(model(held_out), silenced, rtol=1e-4, atol=1e-4)


def test_a_seed_repeats(network):
    architecture, _ = network
    data = images(architecture, 8)
    settings = dict(ratios=0.5, locations=2)
    results = [pruned(network, data, seed=seed, **settings)[0] for seed in (0, 0, 1)]
    digests = [digest(result.state_dict) for result in results]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(ratios=0.5, images=0), 'at least 1 image and 1 location'),
        (dict(ratios=0.5, ridge=-1), 'ridge must be a finite number of at least 0, got -1'),
        (dict(target='resnet56-a', block_inputs=0.5), 'takes block_inputs from the target'),
        (dict(), 'needs either ratios or a target'),
    ],
)
def test_a_pruner_that_cannot_be_is_refused(settings, message):
    with pytest.raises(UserError, match=message):
        build_pruner(dict(type='RegressionPruner', **settings))


@pytest.mark.parametrize(
    'name, settings, message',
    [
        ('resnet50', dict(block_inputs=0.5), 'layer1.0.conv1 cannot select from .* conv1, which'),
        ('cifar-resnet', dict(block_inputs={'stem': 0.5}), "'stem' matches no prunable layer"),
        ('vgg-plain', dict(block_inputs=0.5), 'matches no prunable layer; they are none'),
    ],
)
def test_inputs_that_cannot_be_selected_are_refused(parents, name, settings, message):
    architecture, state = parents(name)
    pruner = RegressionPruner(ratios=0.5, **settings)
    with pytest.raises(UserError, match=message):
        prune(architecture.network_with(state), pruner, architecture, [images(architecture, 2)])


@pytest.mark.parametrize('ridge', [float('nan'), float('inf'), '1'])
def test_a_ridge_that_is_no_finite_number_is_refused(ridge):
    with pytest.raises(UserError, match='RegressionPruner: ridge must be a finite number'):
        RegressionPruner(ratios=0.5, ridge=ridge)


@pytest.mark.parametrize('share', [1.0, 2, -0.5, float('nan')])
def test_an_impossible_share_of_inputs_is_refused_before_images_are_looked_at(share):
    with pytest.raises(UserError, match=r"The ratio of 'layer2.*' must be in \[0, 1\), got"):
        RegressionPruner(ratios=0.5, block_inputs={'layer2.*': share})
