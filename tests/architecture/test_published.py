"""The shipped architectures cost what the published networks cost."""

import pytest

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, published

# name: parameters, MACs of convolutions, MACs of linear layers; measured on the networks of
# arXiv 1810.05270 at 32x32 (10 classes) and 224x224 (1000 classes).
COSTS = {
    'resnet56': (853_018, 125_485_056, 640),
    'resnet56-a': (773_336, 112_435_200, 640),
    'resnet56-b': (735_712, 90_906_624, 640),
    'resnet34': (21_797_672, 3_663_249_408, 512_000),
    'resnet34-a': (20_151_764, 3_099_672_576, 512_000),
    'resnet34-b': (19_469_372, 2_781_757_440, 512_000),
}

# Widths of the first convolutions of all blocks, in block order.
FIRST_CONVS = {
    'resnet56-a': [14] * 7 + [16, 14] + [32] + [28] * 8 + [64] + [57] * 7 + [64],
    'resnet56-b': [6] * 7 + [16, 16] + [32] + [22] * 6 + [32, 22] + [64] + [57] * 7 + [64],
    'resnet34-a': [64, 44, 44, 128, 89, 89, 128, 256, *[179] * 4, 256, 512, 512, 512],
    'resnet34-b': [64, 32, 32, 128, 51, 51, 128, 256, *[153] * 4, 256, 512, 512, 512],
}


@pytest.mark.parametrize('name', COSTS)
def test_cost_is_the_published_one(name):
    params, conv, linear = COSTS[name]
    cost = PrunedArchitecture.load(name).cost()
    assert (cost.params, cost.macs_conv, cost.macs_linear) == (params, conv, linear)
    assert cost.macs == conv + linear


@pytest.mark.parametrize('name', FIRST_CONVS)
def test_widths_are_the_published_ones(name):
    architecture = PrunedArchitecture.load(name)
    first = [layer for layer in architecture.widths if layer.endswith('.conv1')]
    assert [architecture.kept(layer) for layer in first] == FIRST_CONVS[name]
    others = set(architecture.widths) - set(first)
    assert all(architecture.kept(layer) == architecture.widths[layer] for layer in others)


@pytest.mark.parametrize('name', published.names())
def test_every_shipped_file_loads_under_its_own_name(name):
    architecture = PrunedArchitecture.load(name)
    assert architecture.name == name
    assert architecture.source


def test_cost_depends_on_the_input_only_through_the_macs():
    architecture = PrunedArchitecture.load('resnet56-b')
    small, large = architecture.cost((3, 16, 16)), architecture.cost()
    assert small.params == large.params
    assert 4 * small.macs_conv == large.macs_conv
    assert small.input_shape == (3, 16, 16)
    assert small.as_dict()['input_shape'] == [3, 16, 16]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UserError, match=', '.join(published.names())):
        PrunedArchitecture.load('resnet56-z')
