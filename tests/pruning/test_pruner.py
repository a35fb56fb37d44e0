"""Pruners: a trained network in, an architecture and its inherited weights out."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.architecture.checkpoint import digest
from rethink_det.classification import Classifier
from rethink_det.pruning import RandomPruner, build_pruner, prune

PRUNED = ('layer1.0.conv1', 'layer2.0.conv1', 'layer3.0.conv1')


def l1(**settings) -> dict:
    return dict(type='L1NormPruner', **settings)


def randomly(seed: int, **settings) -> dict:
    return dict(type='RandomPruner', seed=seed, **settings)


@pytest.fixture(scope='module')
def base(cifar):
    return cifar(base_channels=8)


@pytest.fixture
def network(base, unsettle):
    torch.manual_seed(0)
    return unsettle(base.build_network())


# -- which channels ------------------------------------------------------------------------


def test_a_target_gives_what_its_ratios_give(base, network):
    by_ratio = prune(network, l1(ratios=0.4), base)
    by_target = prune(network, l1(target=by_ratio.architecture.shape().to_dict()), base)
    assert by_target.architecture == by_ratio.architecture
    assert digest(by_target.state_dict) == digest(by_ratio.state_dict)


def test_a_published_name_is_a_target():
    parent = PrunedArchitecture.load('resnet56')
    found = prune(parent.build_network(), l1(target='resnet56-b'), parent).architecture
    assert found.shape() == PrunedArchitecture.load('resnet56-b')
    assert all(isinstance(kept, tuple) for kept in found.channels.values())


def test_a_random_choice_depends_on_its_seed_alone(base, network, unsettle):
    def chosen(seed, model=network):
        torch.rand(3)  # nor on the global generator
        return prune(model, randomly(seed, ratios=0.5), base).architecture

    assert chosen(0) == chosen(0)
    assert len({chosen(seed).digest for seed in range(5)}) == 5
    other = unsettle(base.build_network(), seed=9)
    assert chosen(0, other) == chosen(0)
    layers = prune(network, randomly(0, ratios=0.5), base).architecture.channels
    assert layers['layer1.0.conv1'] != layers['layer2.0.conv1'][:4]


# -- what comes out ------------------------------------------------------------------------


@given(
    ratios=st.fixed_dictionaries(
        {}, optional={layer: st.sampled_from([0.2, 0.5, 0.8]) for layer in PRUNED}
    ),
    kind=st.sampled_from([l1, lambda **settings: randomly(3, **settings)]),
)
def test_the_result_loads_and_computes_what_the_zeroed_parent_does(base, network, ratios, kind):
    result = prune(network, kind(ratios=ratios), base)
    small = result.architecture.build_network()
    small.load_state_dict(result.state_dict, strict=True)
    Surgeon(network, base.input_shape, prefix='backbone.').zero(
        {layer: kept for layer, kept in result.architecture.channels.items()}
    )
    images = torch.randn(2, *base.input_shape)
    with torch.no_grad():
        difference = network.eval()(images) - small.eval()(images)
    assert difference.abs().max() <= 1e-5
    assert not any(tensor.requires_grad for tensor in result.state_dict.values())


@pytest.mark.parametrize('pruner', [l1(ratios=0.4), randomly(1, ratios=0.4)])
def test_the_parent_inherits_to_the_same_weights(base, network, pruner):
    result = prune(network, pruner, base)
    assert digest(result.architecture.inherit(network.state_dict())) == digest(result.state_dict)


def test_the_model_stays_as_it_was(base, network):
    network.train()
    network.backbone.bn1.eval()
    network.backbone.conv1.weight.requires_grad_(False)
    before = digest(network.state_dict())
    flags = [m.training for m in network.modules()], [p.requires_grad for p in network.parameters()]
    result = prune(network, l1(ratios=0.5), base)
    assert digest(network.state_dict()) == before
    assert flags == (
        [m.training for m in network.modules()],
        [p.requires_grad for p in network.parameters()],
    )
    for tensor in result.state_dict.values():
        tensor.zero_()
    assert digest(network.state_dict()) == before, 'the result shares memory with the model'


def test_a_classifier_says_what_it_is(base):
    model = Classifier(base.backbone, base.head, base.input_shape)
    result = prune(model, l1(ratios=0.5))
    assert result.architecture.base == base
    assert prune(model, l1(ratios=0.5), base).architecture == result.architecture


def test_pruning_again_goes_on_from_what_is_left(base, network):
    first = prune(network, l1(ratios=0.3), base)
    smaller = first.architecture.build_network()
    smaller.load_state_dict(first.state_dict)
    second = prune(smaller, l1(ratios=0.5), first.architecture)
    for layer in PRUNED:
        once, twice = (set(r.architecture.channels[layer]) for r in (first, second))
        assert twice < once
    inherited = second.architecture.inherit(network.state_dict())
    assert digest(inherited) == digest(second.state_dict)


def test_a_layer_is_never_emptied(base, network):
    with pytest.warns(UserWarning, match='layer1.0.conv1 0 of its 8 channels; it keeps 1'):
        result = prune(network, l1(ratios=0.999), base)
    assert [len(result.architecture.channels[layer]) for layer in PRUNED] == [1, 1, 1]


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'pruner, message',
    [
        (
            dict(type='NoSuchPruner', ratios=0.5),
            'NoSuchPruner.*known are .*L1NormPruner, ',
        ),
        (dict(type='torch.nn.ReLU', ratios=0.5), 'Unknown pruner .*torch.nn.ReLU'),
        (dict(ratios=0.5), 'known are .*L1NormPruner, MagnitudePruner'),
        (l1(ratio=0.5), "L1NormPruner.*'ratio'"),
        (l1(), 'L1NormPruner needs either ratios or a target'),
        (l1(ratios=0.5, target='resnet56-a'), 'L1NormPruner needs either ratios or a target'),
        (l1(target='resnet56-z'), 'No architecture .*resnet56-z'),
        (l1(target='resnet56-a'), 'resnet56-a is cut from another network: layer conv1 is 16'),
        (l1(ratios=1.0), r'must be in \[0, 1\)'),
        (l1(ratios=-0.1), r'must be in \[0, 1\)'),
        (l1(ratios=float('nan')), r'must be in \[0, 1\)'),
        (l1(ratios='half'), r'must be in \[0, 1\)'),
        (l1(ratios={'layer1.0.conv2': 0.5}), "'layer1.0.conv2' matches no prunable layer"),
        (l1(ratios=0.5, skip=['layer9.*']), r"'layer9.\*' matches no prunable layer"),
        (l1(ratios=0.999, min_channels=0), 'at least 1'),
    ],
)
def test_a_pruner_that_cannot_be_is_refused(base, network, pruner, message):
    with pytest.raises(UserError, match=message):
        prune(network, pruner, base)


def test_types_may_carry_the_scope():
    assert isinstance(build_pruner(dict(type='rethink_det.RandomPruner', ratios=0.5)), RandomPruner)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_weights_that_are_no_numbers_are_refused_by_layer(base, network, value):
    with torch.no_grad():
        network.backbone.layer2[0].conv1.weight[3, 0, 0, 0] = value
    with pytest.raises(UserError, match='layer2.0.conv1 has weights that are not finite'):
        prune(network, l1(ratios=0.5), base)


def test_a_model_that_is_not_the_architecture_is_refused(base, cifar, network):
    with pytest.raises(UserError, match='backbone.conv1.weight'):
        prune(network, l1(ratios=0.5), cifar())
    with pytest.raises(UserError, match='has no backbone.layer1.1.conv1.weight'):
        prune(network, l1(ratios=0.5), cifar(depth=14, base_channels=8))
    with pytest.raises(UserError, match='Network does not say what it is'):
        prune(network, l1(ratios=0.5))


def test_a_model_that_cannot_be_traced_is_refused(base, network):
    blind = PrunedArchitecture(base.backbone, {**base.head, 'in_channels': 32}, (1, 16, 16))
    with pytest.raises(UserError, match=r'\(1, 16, 16\)'):
        prune(network, l1(ratios=0.5), blind)


@pytest.mark.parametrize('config', [None, 'L1NormPruner', ['L1NormPruner']], ids=str)
def test_what_is_no_config_builds_no_pruner(config):
    with pytest.raises(UserError, match="A pruner is a dict with a 'type', got"):
        build_pruner(config)


def test_a_model_without_architecture_is_refused_with_the_remedy():
    with pytest.raises(UserError, match='Conv2d does not say what it is: pass its architecture'):
        prune(torch.nn.Conv2d(1, 1, 1), l1(ratios=0.5))
