"""A pruner is told how long the network may take."""

import warnings

import pytest
import torch

from rethink_det import UserError
from rethink_det.latency import LatencyTable
from rethink_det.pruning import build_pruner, prune_state
from rethink_det.pruning.classifier_latency import classifier_latency
from rethink_det.pruning.cost_goal import TOLERANCE, CostGoal, Reached
from tests.latency.fake_time import CPU, fake_latency, true_seconds

L1 = dict(type='L1NormPruner')


@pytest.fixture
def whole(cifar):
    return cifar(depth=14, base_channels=16)


@pytest.fixture
def state(whole):
    torch.manual_seed(0)
    return whole.build_network().state_dict()


def pruned(told, whole, state, latency):
    network = whole.network_with(state)
    return build_pruner(told).prune(network, whole, latency=lambda: latency)


@pytest.mark.parametrize('method', [L1, dict(type='GroupNormPruner', scope='global')], ids=str)
@pytest.mark.parametrize('share', [0.85])
def test_the_network_takes_what_it_may(method, share, whole, state, tmp_path, monkeypatch):
    latency = fake_latency(whole, tmp_path, monkeypatch)
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='The threshold would leave')
        result = pruned(dict(method, latency=share), whole, state, latency)
    wanted = share * true_seconds(whole)
    assert abs(true_seconds(result.architecture) - wanted) <= 2 * TOLERANCE * wanted
    assert result.goal.measured == pytest.approx(1000 * true_seconds(result.architecture))
    told = pruned(
        dict(method, latency_ms=1000 * wanted), whole, state,
        fake_latency(whole, tmp_path, monkeypatch),
    )  # fmt: skip
    assert told.architecture == result.architecture


def test_the_search_is_repeated_where_the_table_is_wrong(whole, state, tmp_path, monkeypatch):
    latency = fake_latency(whole, tmp_path, monkeypatch)
    latency.exponent = 1.6
    result = pruned(dict(L1, latency=0.8), whole, state, latency)
    assert true_seconds(result.architecture) == pytest.approx(0.8 * true_seconds(whole), rel=0.02)
    assert 'measured in turns with the network before: ' in str(result.goal)
    assert 'to the power of' in result.goal.basis


def test_the_clock_of_this_machine_is_asked_and_its_times_are_kept(whole, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    drawn = torch.get_rng_state()
    latency = classifier_latency(whole, CPU)
    first = latency.milliseconds(whole)
    assert 0 < first < 10_000 and latency.table.path.parent == tmp_path / 'rethink_det'
    assert torch.equal(torch.get_rng_state(), drawn)
    assert classifier_latency(whole, CPU, LatencyTable(CPU)).milliseconds(whole) == first
    assert 0 < latency.measured(whole) < 10_000


def test_a_latency_that_is_reached_already_is_refused(whole, state, tmp_path, monkeypatch):
    latency = fake_latency(whole, tmp_path, monkeypatch)
    with pytest.raises(UserError, match='latency_ms is to be 5,000.00 ms, and the network has'):
        pruned(dict(L1, latency_ms=5000), whole, state, latency)


@pytest.mark.parametrize(
    'told, words',
    [
        (
            dict(L1, latency=8),
            'latency must be a share below 1 .*latency_ms.*, got 8',
        ),
        (dict(L1, latency=0), 'latency must be a share below 1'),
        (dict(L1, latency_ms=float('inf')), 'latency_ms must be milliseconds above 0, got inf'),
        (dict(L1, latency=0.5, macs=0.5), 'one goal at a time'),
        (dict(L1, latency=0.5, latency_ms=2), 'one goal at a time'),
        (dict(L1, latency_ms=2, ratios=0.5), 'either latency_ms or ratios'),
        (dict(type='MagnitudePruner', latency=0.5), 'no operation is faster'),
        (dict(type='SparseStructurePruner', latency_ms=2), 'no ratio that could be found'),
    ],
)
def test_latencies_that_make_no_sense_are_refused(told, words):
    with pytest.raises(UserError, match=words):
        build_pruner(told)


def test_milliseconds_may_be_less_than_one():
    goal = CostGoal('latency_ms', 0.25)
    assert goal.wanted(0.5) == 0.25 and CostGoal('latency', 0.25).wanted(0.5) == 0.125
    assert str(Reached(goal, 0.5, 0.252, 0.3, measured=0.26)) == (
        'latency_ms: asked for 0.25 ms (50.0%), got 0.25 ms (50.4%), +0.8% of what was asked for; '
        'measured in turns with the network before: 0.26 ms, +4.0%'
    )


def test_a_library_call_takes_a_latency(whole, state, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    result = prune_state(state, dict(L1, latency=0.9), whole, device='cpu')
    assert result.goal.measured > 0 and result.goal.setting != 0
