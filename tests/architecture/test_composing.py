"""Architectures out of others: a cut of a cut is said in the channels of the parent."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture import Cut
from rethink_det.architecture.composing import as_cut

LAYERS = ('layer1.0.conv1', 'layer2.0.conv1', 'layer3.0.conv1')


def chosen(width: int):
    return st.sets(st.integers(0, width - 1), min_size=1).map(lambda s: tuple(sorted(s)))


@given(st.sets(st.integers(0, 7), min_size=2), st.data())
def test_narrowing_an_architecture_indexes_what_is_left(cifar, kept, data):
    base = cifar(base_channels=8)
    kept = tuple(sorted(kept))
    places = data.draw(st.sets(st.integers(0, len(kept) - 1), min_size=1).map(sorted))
    cut = base.after(Cut({LAYERS[0]: kept})).after(Cut({LAYERS[0]: places}))
    assert cut.channels == {LAYERS[0]: tuple(kept[place] for place in places)}
    counted = base.after(Cut({LAYERS[0]: kept})).shape().after(Cut({LAYERS[0]: places}))
    assert counted.channels == {LAYERS[0]: len(places)}


@given(st.fixed_dictionaries({}, optional={layer: chosen(4) for layer in LAYERS}))
def test_what_is_missing_is_the_cut_that_gives_it(cifar, channels):
    architecture = cifar(channels=channels, removed_blocks=())
    assert cifar().after(as_cut(architecture)) == architecture


def test_what_is_missing_is_of_the_backbone_or_of_the_head(cifar):
    architecture = cifar(
        channels={'layer1.0.conv1': 2, 'head.hidden': (0, 1)},
        selections={'head.fc': (0, 3)},
        removed_blocks=('layer2.0',),
    )
    backbone, head = as_cut(architecture, head=False), as_cut(architecture, head=True)
    assert (backbone.layers(), backbone.blocks) == (['layer1.0.conv1'], ('layer2.0',))
    assert (head.layers(), head.blocks) == (['head.hidden', 'head.fc'], ())
    assert backbone.channels == {'layer1.0.conv1': (0, 1)}  # a count keeps the first


def test_channels_of_a_removed_block_are_forgotten(cifar):
    architecture = cifar(depth=14, channels={'layer1.0.conv1': 2, 'layer1.1.conv1': 3})
    left = architecture.after(Cut(blocks=['layer1.0']))
    assert left.channels == {'layer1.1.conv1': 3} and left.removed_blocks == ('layer1.0',)


def test_layers_stand_in_the_order_of_the_network(cifar):
    architecture = cifar(channels={'layer3.0.conv1': 2}).after(Cut({'layer1.0.conv1': (0,)}))
    assert list(architecture.channels) == ['layer1.0.conv1', 'layer3.0.conv1']


def test_a_network_with_masks_loses_no_channels(cifar):
    masked = cifar().after(Cut(masks={'head.fc.weight': torch.ones(3, 16, dtype=torch.bool)}))
    for cut in (Cut({'layer1.0.conv1': (0,)}), Cut(selections={'head.fc': (0,)})):
        with pytest.raises(UserError, match='weight masks cannot lose channels or blocks'):
            masked.after(cut)
