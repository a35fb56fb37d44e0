"""GroupNorm makes groups of equal size of what is left."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.pruning import prune

HEAD = {'type': 'rethink_det.LinearHead', 'num_classes': 4}


@pytest.fixture(scope='module')
def whole():
    """A ResNet-18 of width 8 with four groups a norm."""
    norm = dict(type='GN', num_groups=4)
    backbone = dict(type='mmdet.ResNet', depth=18, base_channels=8, norm_cfg=norm)
    return PrunedArchitecture(backbone, HEAD, (3, 32, 32))


def test_a_layer_knows_what_it_keeps_a_multiple_of(whole):
    surgeon = Surgeon(whole.skeleton(), whole.input_shape, 'backbone.')
    assert {surgeon.group(layer).multiple for layer in surgeon.layers()} == {4}
    assert surgeon.group('layer1.0.conv1').prunable


def test_it_is_pruned_by_whole_multiples(whole):
    with pytest.warns(UserWarning, match='layer1.0.conv1 8 for 5 .groups: 4.'):
        pruned = prune(whole.build_network(), dict(type='L1NormPruner', ratios=0.3), whole)
    kept = {layer: pruned.architecture.kept(layer) for layer in whole.widths}
    assert kept['layer2.0.conv1'] == 12 and not any(count % 4 for count in kept.values())
    network = pruned.architecture.network_with(pruned.state_dict)
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 4)


def test_what_leaves_uneven_groups_is_refused(whole):
    surgeon = Surgeon(whole.build_network(), whole.input_shape, 'backbone.')
    with pytest.raises(UserError, match='layer1.0.conv1 would keep 5 .* keep a multiple of 4'):
        surgeon.cut({'layer1.0.conv1': range(5)})
