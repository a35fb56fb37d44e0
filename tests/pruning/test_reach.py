"""A pruner that reaches much less than it was asked for says so, and which layers stayed whole."""

import warnings

import pytest

from rethink_det import PrunedArchitecture, UserError, prune
from rethink_det.pruning.reach import Reach

LINEAR = {'type': 'rethink_det.LinearHead', 'num_classes': 2}


def pruned(backbone, pruner, inputs):
    """What pruning gives, and what it warns of."""
    network = PrunedArchitecture(backbone, {**LINEAR, 'in_channels': inputs}, (3, 32, 32))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        result = prune(network.build_network(), pruner, network)
    return result, [str(w.message) for w in caught if str(w.message).startswith(pruner['type'])]


RESNET = {'type': 'mmdet.ResNet', 'depth': 18, 'base_channels': 8}
RESNEXT = {'type': 'mmdet.ResNeXt', 'depth': 50, 'groups': 8, 'base_width': 4}


def test_a_network_that_cannot_be_pruned_is_named_layer_by_layer():
    result, (said,) = pruned(RESNEXT, {'type': 'L1NormPruner', 'ratios': 0.5}, 2048)
    assert result.reach.asked == pytest.approx(0.5) and result.reach.got < 0.01
    assert 'L1NormPruner: Asked for 50.0% of the weights of the convolutions, 0.2% went' in said
    assert 'layer1.0.conv2 is a grouped convolution' in said
    assert 'only go in whole groups of 4' in said and 'residual stream' in said
    whole = set(result.reach.whole)
    assert whole == {name for name in result.architecture.widths if name != 'conv1'}


@pytest.mark.parametrize(
    'pruner',
    [
        {'type': 'L1NormPruner', 'ratios': 0.5},
        {'type': 'L1NormPruner', 'ratios': {'layer1.*': 0.3}},
        {'type': 'NetworkSlimmingPruner', 'ratio': 0.4},
        {'type': 'MagnitudePruner', 'ratio': 0.5},
        {'type': 'L1NormPruner', 'target': 'resnet34-a'},
    ],
    ids=str,
)
def test_what_was_asked_for_and_came_is_not_spoken_of(pruner):
    backbone = RESNET
    if 'target' in pruner:
        backbone = PrunedArchitecture.load(pruner['target']).base.backbone
    result, said = pruned(backbone, pruner, 512 if 'target' in pruner else 64)
    assert said == [] and result.reach.note is None and result.reach.got > 0.001


@pytest.mark.parametrize(
    'pruner',
    [
        {'type': 'L1NormPruner', 'ratios': 0},
        {'type': 'L1NormPruner', 'ratios': 0.5, 'skip': '*'},
        {'type': 'NetworkSlimmingPruner', 'ratio': 0.0},
        {'type': 'MagnitudePruner', 'ratio': 0.0},
        {'type': 'RandomPruner', 'ratios': 0.0},
    ],
    ids=str,
)
def test_that_nothing_is_removed_is_said(pruner):
    result, (said,) = pruned(RESNET, pruner, 64)
    assert 'Nothing is removed' in said and result.reach.got == 0


def test_patterns_without_a_layer_to_prune_are_still_refused():
    with pytest.raises(UserError, match='matches no prunable layer'):
        pruned(RESNEXT, {'type': 'L1NormPruner', 'ratios': {'layer1.*': 0.5}}, 2048)


@pytest.mark.parametrize(
    'asked, got, speaks',
    [(0.5, 0.3, False), (0.5, 0.2, True), (None, 0.1, False), (0.5, 0.0, True), (None, 0.0, True)],
)
def test_half_of_what_was_asked_for_is_enough(asked, got, speaks):
    assert bool(Reach(asked, got).note) == speaks
