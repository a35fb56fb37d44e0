"""A pruner is told what the network may cost, and finds how much of each layer goes."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.pruning import build_pruner, prune_state
from rethink_det.pruning.cost_goal import TOLERANCE, CostGoal, Reached
from rethink_det.pruning.explaining import explained

RESNET = PrunedArchitecture(
    dict(type='rethink_det.CifarResNet', depth=14),
    dict(type='rethink_det.LinearHead', num_classes=10),
    (3, 32, 32),
)
L1 = dict(type='L1NormPruner')
METHODS = [
    L1,
    dict(L1, groups='coupled'),
    dict(type='GroupNormPruner', scope='global'),
    dict(type='MagnitudePruner'),
]


@pytest.fixture(scope='module')
def weights():
    torch.manual_seed(0)
    return RESNET.build_network().state_dict()


@pytest.mark.parametrize('method', METHODS, ids=str)
@pytest.mark.parametrize('goal', [dict(macs=0.6), dict(params=120_000)], ids=str)
def test_the_network_costs_what_it_may(weights, method, goal):
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='The threshold would leave')
        result = prune_state(weights, {**method, **goal}, RESNET)
    (quantity, value) = next(iter(goal.items()))
    wanted = value if value > 1 else value * getattr(RESNET.cost(), quantity)
    got = getattr(result.architecture.cost(), quantity)
    assert abs(got - wanted) <= TOLERANCE * wanted
    assert result.goal.after == got and abs(result.goal.off) <= TOLERANCE


@settings(max_examples=5, deadline=None)
@given(st.floats(0.3, 0.95), st.sampled_from(['macs', 'params']))
def test_what_is_found_is_what_a_ratio_would_have_given(weights, share, quantity):
    found = prune_state(weights, {**L1, quantity: share}, RESNET)
    told = prune_state(weights, {**L1, 'ratios': found.goal.setting}, RESNET)
    assert told.architecture == found.architecture
    assert all(torch.equal(t, found.state_dict[name]) for name, t in told.state_dict.items())


def test_a_goal_out_of_reach_is_said_with_what_is_reached(weights):
    skip = ['layer2.*', 'layer3.*']
    with pytest.warns(UserWarning, match='the method can take no more') as said:
        result = prune_state(weights, dict(L1, macs=0.3, skip=skip), RESNET)
    assert result.goal.most and result.goal.off > TOLERANCE
    assert f'got {result.architecture.cost().macs:,}' in str(said[-1].message)


@pytest.mark.parametrize(
    'told, words',
    [
        (dict(L1, macs=0.5, params=0.5), 'one goal at a time'),
        (dict(L1, macs=0.5, ratios=0.5), 'either macs or ratios'),
        (dict(L1, macs=0.5, target='resnet56-a'), 'either macs or target'),
        (dict(L1, macs=-1), 'share below 1 or a number above it, got -1'),
        (dict(L1, macs=1), 'got 1'),
        (dict(L1, params='half'), "got 'half'"),
        (dict(L1, params=float('nan')), 'got nan'),
        (dict(L1, macs=True), 'got True'),
        (dict(type='SparseStructurePruner', macs=0.5), 'no ratio that could be found'),
        (dict(L1, macs=0.5, skips=[]), 'skips'),
    ],
)
def test_goals_that_make_no_sense_are_refused(told, words):
    with pytest.raises(UserError, match=words):
        build_pruner(told)


def test_a_goal_that_is_reached_already_is_refused(weights):
    with pytest.raises(UserError, match='params is to be 1,000,000, and the network has 172,506'):
        prune_state(weights, dict(L1, params=1e6), RESNET)


def test_one_ranking_by_images_cannot_be_sought(weights):
    told = dict(type='ImportancePruner', importance='taylor', groups='coupled', scope='global')
    with pytest.raises(UserError, match='give a ratio'):
        prune_state(weights, dict(told, macs=0.5), RESNET)


def test_soft_filters_are_put_back_between_trials(weights):
    result = prune_state(weights, dict(type='SoftFilterPruner', params=0.7), RESNET)
    told = prune_state(weights, dict(type='SoftFilterPruner', keep=1 - result.goal.setting), RESNET)
    assert all(torch.equal(t, result.state_dict[name]) for name, t in told.state_dict.items())


@pytest.mark.parametrize('groups', ['free', 'coupled'])
def test_what_layers_keep_is_rounded(weights, groups):
    told = dict(L1, ratios=0.4, round_to=8, groups=groups)
    kept = prune_state(weights, told, RESNET).architecture
    lost = [layer for layer in kept.channels if kept.kept(layer) < kept.widths[layer]]
    assert lost and all(kept.kept(layer) % 8 == 0 for layer in lost)
    assert all(kept.kept(layer) >= int(0.6 * kept.widths[layer]) for layer in lost)
    with pytest.raises(UserError, match='round_to'):
        build_pruner(dict(told, round_to=0))


def test_every_layer_is_explained(weights):
    pruner = build_pruner(dict(L1, ratios={'layer1.*': 0.99, '*': 0.5}, skip=['layer3.0.*']))
    with pytest.warns(UserWarning, match='it keeps 1'):
        result = pruner.prune(RESNET.network_with(weights), RESNET)
    rows = {one.layer: one for one in explained(pruner, RESNET, result)}
    assert rows['layer1.0.conv1'].why == 'min_channels is 1'
    assert rows['layer2.0.conv1'].why == '' and rows['layer2.0.conv1'].got == 0.5
    assert rows['layer3.0.conv1'].why == 'skipped'
    assert 'parameter-free shortcut' in rows['layer2.0.conv2'].why
    coupled = build_pruner(dict(L1, params=0.5, groups='coupled'))
    result = coupled.prune(RESNET.network_with(weights), RESNET)
    rows = {one.layer: one for one in explained(coupled, RESNET, result)}
    assert rows['conv1'].why.startswith('goes with layer1.0.conv2, layer1.1.conv2')
    assert rows['layer2.0.conv1'].asked > 0 and set(rows) == set(result.architecture.widths)


def test_goals_are_told_in_one_line():
    goal = CostGoal('macs', 0.5)
    assert str(Reached(goal, 1000.0, 505.0, 0.3)) == (
        'macs: asked for 500 (50.0%), got 505 (50.5%), +1.0% of what was asked for'
    )
    assert 'no ratio that the method can be told' in str(Reached(goal, 1000.0, 600.0, 0.3))
    assert CostGoal.of({}, 'L1NormPruner') is None
    with pytest.raises(UserError, match='L1NormPruner: params'):
        CostGoal.of(dict(params=0), 'L1NormPruner')
