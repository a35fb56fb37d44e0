"""Inherited weights are the parent's, cut; of another parent none are inherited."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture import Surgeon
from rethink_det.architecture.inheriting import check_masks
from rethink_det.architecture.weight_masks import describe


def kept_channels(width: int):
    indices = st.sets(st.integers(0, width - 1), min_size=1)
    return indices.map(lambda chosen: tuple(sorted(chosen)))


@pytest.mark.parametrize('shortcut', ['avgpool', 'subsample', 'subsample-append'])
@given(data=st.data())
def test_inherited_weights_are_the_cut_parents(cifar, unsettle, shortcut, data):
    base = cifar(shortcut=shortcut)
    keep = {f'layer{i}.0.conv1': data.draw(kept_channels(2 ** (i + 1))) for i in (1, 2, 3)}
    parent = unsettle(base.build_network())
    state = {name: tensor.clone() for name, tensor in parent.state_dict().items()}
    inherited = cifar(shortcut=shortcut, channels=keep).inherit(state)
    assert all(torch.equal(state[n], t) for n, t in parent.state_dict().items())
    Surgeon(parent, base.input_shape, prefix='backbone.').cut(keep)
    expected = parent.state_dict()
    assert inherited.keys() == expected.keys()
    assert all(torch.equal(inherited[name], expected[name]) for name in expected)


def test_inheriting_needs_indices_and_the_right_parent(cifar):
    state = cifar().build_network().state_dict()
    with pytest.raises(UserError, match='how many channels layer1.0.conv1 keeps, not which'):
        cifar(channels={'layer1.0.conv1': 2}).inherit(state)
    pruned = cifar(channels={'layer1.0.conv1': (0, 2)})
    with pytest.raises(UserError, match='backbone.conv1.weight'):
        pruned.inherit(cifar(base_channels=8).build_network().state_dict())
    with pytest.raises(UserError, match='has no head.fc.bias'):
        pruned.inherit({n: t for n, t in state.items() if n != 'head.fc.bias'})
    with pytest.raises(UserError, match='it has extra besides'):
        pruned.inherit(state | {'extra': torch.zeros(1)})


def test_masks_of_another_network_are_no_ones_own(cifar):
    mask = torch.tensor([[True, False]])
    masked = cifar(masks=describe({'head.fc.weight': mask}))
    check_masks(masked, {'head.fc.weight': mask})
    check_masks(cifar(), {})
    for architecture, masks in (
        (masked, {}),
        (masked, {'head.fc.weight': ~mask}),
        (cifar(), {'head.fc.weight': mask}),
    ):
        with pytest.raises(UserError, match='has the weight masks .*, got .*: they are in the che'):
            check_masks(architecture, masks)
