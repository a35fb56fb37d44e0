"""Network slimming: one threshold over BatchNorm scales."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.architecture.norm_roles import norm_roles
from rethink_det.pruning import NetworkSlimmingPruner, prune_state


def slim(architecture, state, ratio, **settings):
    pruner = dict(type='NetworkSlimmingPruner', ratio=ratio, **settings)
    return prune_state(state, pruner, architecture)


def with_scales(parents, network, scales):
    """A network whose BatchNorms have scale 9, but for the given ones."""
    architecture, state = parents(network)
    norms = {n.removesuffix('.running_var') for n in state if n.endswith('running_var')}
    for norm in norms:
        state[f'{norm}.weight'].fill_(9)
    for norm, values in scales.items():
        state[f'{norm}.weight'][: len(values)] = torch.tensor(values)
    return architecture, state


@pytest.mark.parametrize(
    'name, scales',
    [('vgg19-cifar', 5504), ('preresnet164', 12112), ('densenet40', 9360), ('vgg11-bn', 10944)],
)
def test_the_published_networks_have_the_published_number_of_scales(name, scales):
    architecture = PrunedArchitecture.load(name)
    surgeon = Surgeon(architecture.base.skeleton(), architecture.input_shape, 'backbone.')
    assert sum(len(role.module.weight) for role in norm_roles(surgeon)) == scales


def test_channels_of_the_smallest_absolute_scale_go(parents):
    # 27 layers would be too many to count: a VGG-11 has 8 BatchNorms, 2752 scales.
    scales = {'backbone.features.1': [0.1, -0.2, 0.3, -0.05], 'backbone.features.5': [0.25]}
    architecture, state = with_scales(parents, 'vgg', scales)
    found = slim(architecture, state, 3 / 2752).architecture
    gone = {layer: set(range(width)) for layer, width in architecture.widths.items()}
    gone = {n: sorted(gone[n] - set(kept)) for n, kept in found.channels.items()}
    assert gone == {'features.0': [0, 1, 3]}
    found = slim(architecture, state, 4 / 2752).architecture
    assert 0 not in found.channels['features.4'] and len(found.channels['features.0']) == 61


def test_of_equal_scales_the_first_stay_and_the_reference_threshold_takes_them_all(parents):
    scales = {'backbone.features.1': [0.1, 0.2, 0.2, 0.2]}
    architecture, state = with_scales(parents, 'vgg', scales)
    # 2 of 2752 go: the smallest, and the last of three equals.
    kept = slim(architecture, state, 2 / 2752).architecture.channels['features.0']
    assert kept[:3] == (1, 2, 4)
    strict = slim(architecture, state, 2 / 2752, strictly_above=True).architecture
    assert strict.channels['features.0'][0] == 4
    # Entry number 1 is one of the equals, too: at least one more goes than asked for.
    strict = slim(architecture, state, 1 / 2752, strictly_above=True).architecture
    assert strict.channels['features.0'][0] == 4


@pytest.mark.parametrize('strictly_above', [False, True])
def test_nothing_goes_at_a_ratio_of_nothing(parents, strictly_above):
    architecture, state = parents('vgg')
    found = slim(architecture, state, 0, strictly_above=strictly_above).architecture
    assert found == architecture


def test_an_emptied_layer_keeps_its_best_channel_and_says_so(parents):
    scales = {'backbone.features.1': [0.1 + 0.001 * i for i in range(64)]}
    architecture, state = with_scales(parents, 'vgg', scales)
    with pytest.warns(UserWarning, match='leave features.1 0 of its 64 channels; it keeps 1'):
        found = slim(architecture, state, 64 / 2752).architecture
    assert found.channels == {'features.0': (63,)}
    with pytest.warns(UserWarning, match='it keeps 2'):
        found = slim(architecture, state, 64 / 2752, min_channels=2).architecture
    assert found.channels == {'features.0': (62, 63)}


def test_a_pre_activation_block_reads_a_selection_and_the_stream_stays_whole(parents):
    scales = {
        'backbone.layer2.1.bn1': [0.01, 0.02],  # feeds conv1: a selection
        'backbone.layer2.1.bn2': [0.03],  # conv1 makes it
        'backbone.layer2.1.bn3': [0.04],  # conv2 makes it
        'backbone.bn': [0.05, 0.06, 0.07],  # feeds the classifier
    }
    architecture, state = with_scales(parents, 'preresnet', scales)
    surgeon = Surgeon(architecture.build_network(), architecture.input_shape, 'backbone.')
    total = sum(len(role.module.weight) for role in norm_roles(surgeon))
    result = slim(architecture, state, 7 / total)
    found = result.architecture
    assert set(found.channels) == {'layer2.1.conv1', 'layer2.1.conv2'}
    assert found.selections['layer2.1.conv1'] == tuple(range(2, 128))
    assert found.selections['head.fc'] == tuple(range(3, 256))
    assert result.state_dict['backbone.layer2.1.conv1.weight'].shape[:2] == (31, 126)
    assert result.state_dict['backbone.layer2.1.bn1.weight'].shape == (128,)
    assert result.state_dict['backbone.layer2.0.conv3.weight'].shape[0] == 128
    assert result.state_dict['head.fc.weight'].shape == (4, 253)


def test_a_dense_layer_reads_a_selection_and_growth_stays(parents):
    scales = {'backbone.dense1.1.bn1': [0.01, 0.02], 'backbone.trans1.bn1': [0.03]}
    architecture, state = with_scales(parents, 'densenet', scales)
    surgeon = Surgeon(architecture.build_network(), architecture.input_shape, 'backbone.')
    total = sum(len(role.module.weight) for role in norm_roles(surgeon))
    found = slim(architecture, state, 3 / total).architecture
    assert found.channels == {}
    assert {n: kept[0] for n, kept in found.selections.items()} == {
        'dense1.1.conv1': 2,
        'trans1.conv1': 1,
    }


def test_hidden_units_of_the_head_go_if_asked_for(parents):
    scales = {'head.classifier.1': [0.01, 0.02], 'backbone.features.0': []}
    scales.pop('backbone.features.0')
    architecture, state = with_scales(parents, 'vgg-flat', scales)
    whole = slim(architecture, state, 2 / 2752).architecture
    assert not any(layer.startswith('head.') for layer in whole.channels)
    result = slim(architecture, state, 2 / 2774, heads=True)
    assert result.architecture.channels == {'head.classifier.0': tuple(range(2, 12))}
    assert result.state_dict['head.classifier.0.weight'].shape[0] == 10
    assert result.state_dict['head.classifier.3.weight'].shape[1] == 10
    assert result.architecture.build_network().load_state_dict(result.state_dict)


def test_a_network_without_batchnorm_is_refused(parents):
    architecture, state = parents('vgg-plain')
    with pytest.raises(UserError, match='has no BatchNorm'):
        slim(architecture, state, 0.5)


@pytest.mark.parametrize('network', ['vgg-plain', 'vgg'])
def test_a_network_without_batchnorm_is_refused_before_there_are_weights(parents, network):
    architecture, _ = parents(network)
    surgeon = Surgeon(architecture.skeleton(), architecture.input_shape, 'backbone.')
    pruner = NetworkSlimmingPruner(0.5)
    if network == 'vgg':
        return pruner.check(surgeon, architecture)
    with pytest.raises(UserError, match='has no BatchNorm'):
        pruner.check(surgeon, architecture)


@pytest.mark.parametrize('ratio', [1, -0.1, 1.5, 'half', None, True])
def test_a_ratio_out_of_range_is_refused(parents, ratio):
    architecture, state = parents('vgg')
    with pytest.raises(UserError, match='NetworkSlimmingPruner: ratio must be in'):
        slim(architecture, state, ratio)


def test_a_pruned_network_can_be_pruned_again(parents):
    architecture, state = parents('preresnet')
    once = slim(architecture, state, 0.3)
    with pytest.raises(UserError, match='NetworkSlimmingPruner.*ratio'):
        slim(once.architecture, once.state_dict, 2)
    twice = slim(once.architecture, once.state_dict, 0.3)
    small = twice.architecture.build_network()
    small.load_state_dict(twice.state_dict)
    assert digest_of(twice.architecture.inherit(state)) == digest_of(twice.state_dict)
    assert twice.architecture.cost().macs < once.architecture.cost().macs


def digest_of(state):
    return {name: tensor.sum().item() for name, tensor in state.items()}


@pytest.mark.parametrize('fewest', [0, -4, 2.0])
def test_fewest_channels_that_are_no_count_are_refused(fewest):
    with pytest.raises(UserError, match='NetworkSlimmingPruner: min_channels must be .*at least 1'):
        NetworkSlimmingPruner(0.5, min_channels=fewest)
