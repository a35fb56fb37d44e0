"""A cut network's bare state dict is enough: same channels, same outputs, or a clear refusal."""

from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_det import UserError
from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.blocks import residual_blocks
from rethink_det.convert import convert_checkpoint
from rethink_det.convert.tensor_shapes import infer

LINEAR = dict(type='rethink_det.LinearHead', num_classes=3)
MLP = dict(type='rethink_det.MLPHead', num_classes=3, hidden=(6, 6), pool=2)
SHAPE = (3, 32, 32)
PARENTS = {
    'cifar': PrunedArchitecture(
        dict(type='rethink_det.CifarResNet', depth=14, base_channels=4), LINEAR, SHAPE
    ),
    'resnet18': PrunedArchitecture(
        dict(type='mmdet.ResNet', depth=18, base_channels=4), LINEAR, SHAPE
    ),
    'resnet50': PrunedArchitecture(
        dict(type='mmdet.ResNet', depth=50, base_channels=4), LINEAR, SHAPE
    ),
    'vgg': PrunedArchitecture(dict(type='rethink_det.VGG', depth=11, base_channels=4), MLP, SHAPE),
    'densenet': PrunedArchitecture(
        dict(type='rethink_det.DenseNet', depth=10, growth=4), LINEAR, SHAPE
    ),
    'resnext': PrunedArchitecture(
        dict(type='mmdet.ResNeXt', depth=50, groups=4, base_width=16, base_channels=16),
        LINEAR,
        SHAPE,
    ),
}  # fmt: skip


@cache
def groups(name):
    """The channel groups that can be cut, one for each set of coupled layers, and the blocks."""
    parent = PARENTS[name]
    surgeon = Surgeon(parent.skeleton(), parent.input_shape, 'backbone.')
    found = {}
    for layer in [*surgeon.layers(), *surgeon.units()]:
        group = surgeon.group(layer)
        if not group.obstacle:
            found[frozenset(group.members)] = group
    blocks = [block.removeprefix('backbone.') for block in residual_blocks(surgeon.model)]
    return list(found.values()), blocks


@st.composite
def cuts(draw, name):
    """Any channels of some groups, whole runs of grouped convolutions; some blocks."""
    found, blocks = groups(name)
    gone = draw(st.lists(st.sampled_from(blocks), unique=True, max_size=2)) if blocks else []
    channels = {}
    for group in draw(st.lists(st.sampled_from(found), unique=True, max_size=4)):
        runs = group.width // group.run
        kept = sorted(draw(st.sets(st.integers(0, runs - 1), min_size=1)))
        inside = any(m.startswith(f'{b}.conv') for m in group.members for b in gone)
        if not inside and len(kept) < runs:
            indices = [run * group.run + i for run in kept for i in range(group.run)]
            channels |= {member: indices for member in group.members}
    return Cut(channels, blocks=gone)


@torch.no_grad()
def cut_network(parent, cut, seed=0):
    torch.manual_seed(seed)
    network = parent.build_network().eval()
    cut.apply(Surgeon(network, parent.input_shape, 'backbone.'))
    return network


@pytest.fixture
def saved(tmp_path):
    """Writes a bare state dict and returns its file."""

    def write(state):
        torch.save(dict(state), tmp_path / 'cut.pth')
        return tmp_path / 'cut.pth'

    return write


BIG = ('resnet50', 'resnext')
SIZED = [pytest.param(n, marks=pytest.mark.slow) if n in BIG else n for n in PARENTS]


@pytest.mark.parametrize('name', SIZED)
@settings(max_examples=4)
@given(data=st.data())
def test_channels_and_outputs_of_any_cut_come_back(saved, name, data):
    parent, cut = PARENTS[name], data.draw(cuts(name))
    network, images = cut_network(parent, cut), torch.randn(2, *SHAPE)
    converted = convert_checkpoint(saved(network.state_dict()), parent)
    counts = {layer: len(kept) for layer, kept in cut.channels.items()}
    assert {n: converted.architecture.kept(n) for n in converted.architecture.channels} == counts
    assert set(converted.architecture.removed_blocks) == set(cut.blocks)
    again = converted.architecture.network_with(converted.state_dict).eval()
    with torch.no_grad():
        assert torch.allclose(again(images), network(images), atol=1e-5)
    restored = PrunedArchitecture.from_dict(converted.architecture.to_dict())
    assert restored == converted.architecture


@torch.no_grad()
def test_whole_groups_take_what_they_read_along(saved):
    parent, cut = PARENTS['resnext'], Cut({'layer2.0.conv2': range(32, 96)})
    network, images = cut_network(parent, cut), torch.randn(2, *SHAPE)
    assert network.backbone.layer2[0].conv1.out_channels == 64
    converted = convert_checkpoint(saved(network.state_dict()), parent)
    assert converted.architecture.channels == {'layer2.0.conv2': 64}
    again = converted.architecture.network_with(converted.state_dict).eval()
    assert torch.allclose(again(images), network(images), atol=1e-5)


def test_an_architecture_that_fits_is_taken_as_it_is(saved):
    known = PrunedArchitecture(
        **{k: getattr(PARENTS['cifar'], k) for k in ('backbone', 'head', 'input_shape')},
        channels={'layer1.0.conv1': (0, 3)},
    )
    converted = convert_checkpoint(saved(known.build_network().state_dict()), known)
    assert converted.architecture.channels == {'layer1.0.conv1': (0, 3)}


# -- refusals ------------------------------------------------------------------------------


@pytest.fixture
def state():
    return dict(PARENTS['cifar'].build_network().state_dict())


def halve(state, name, rows=True):
    weight = state[f'backbone.{name}.weight']
    half = len(weight if rows else weight[0]) // 2
    state[f'backbone.{name}.weight'] = weight[:half] if rows else weight[:, :half]


def test_a_layer_wider_than_the_base_is_refused(state):
    weight = state['backbone.layer1.0.conv1.weight']
    state['backbone.layer1.0.conv1.weight'] = torch.cat([weight, weight])
    with pytest.raises(UserError, match=r'layer1\.0\.conv1 has 8 channels, the base only 4'):
        infer(PARENTS['cifar'], state)


def test_coupled_layers_of_different_widths_are_refused():
    parent = PARENTS['resnet18']
    state = dict(parent.build_network().state_dict())
    halve(state, 'layer1.1.conv2')
    with pytest.raises(UserError, match=r'conv2 has 2 channels and .* has 4: they are added'):
        infer(parent, state)


def test_a_stream_through_a_parameter_free_shortcut_cannot_be_cut(state):
    halve(state, 'layer1.0.conv2')
    with pytest.raises(UserError, match=r'layer1\.0\.conv2 has 2 of 4 .* parameter-free shortcut'):
        infer(PARENTS['cifar'], state)


def test_widths_that_contradict_each_other_are_refused(state):
    halve(state, 'layer2.0.conv2', rows=False)
    with pytest.raises(
        UserError, match=r'layer2\.0\.conv2 reads 4 channels, but layer2\.0\.conv1 makes 8'
    ):
        infer(PARENTS['cifar'], state)


def test_a_batchnorm_that_did_not_follow_is_refused(state):
    halve(state, 'layer1.0.conv1')
    halve(state, 'layer1.0.conv2', rows=False)
    with pytest.raises(UserError, match=r'layer1\.0\.bn1\.weight is \(4,\), and should be \(2,\)'):
        infer(PARENTS['cifar'], state)


def test_inputs_of_unknown_channels_are_refused_with_the_remedy():
    parent = PARENTS['resnet18']
    state = dict(parent.build_network().state_dict())
    halve(state, 'layer1.1.conv1', rows=False)
    with pytest.raises(UserError, match=r'reads a selection .* "selections" as --base'):
        infer(parent, state)


def test_half_a_residual_branch_is_refused(state):
    del state['backbone.layer2.1.conv2.weight']
    with pytest.raises(
        UserError, match=r'layer2\.1\.conv2\.weight is missing while layer2\.1\.conv1.*layer2\.1'
    ):
        infer(PARENTS['cifar'], state)


def test_a_projection_cannot_be_missing():
    parent = PARENTS['resnet18']
    state = {n: t for n, t in parent.build_network().state_dict().items() if 'layer2.0.' not in n}
    with pytest.raises(UserError, match=r'layer2\.0\.downsample\.0\.weight is missing'):
        infer(parent, state)


def test_channels_within_a_group_cannot_go():
    parent = PARENTS['resnext']
    state = dict(parent.build_network().state_dict())
    halve(state, 'layer1.0.conv2', rows=True)
    halve(state, 'layer1.0.conv2', rows=False)
    with pytest.raises(UserError, match=r'layer1\.0\.conv2 is a grouped .* within its groups'):
        infer(parent, state)


def test_a_weight_of_another_form_is_refused(state):
    state['backbone.layer1.0.conv1.weight'] = torch.zeros(4)
    with pytest.raises(UserError, match=r'layer1\.0\.conv1\.weight is \(4,\): no weight of such'):
        infer(PARENTS['cifar'], state)
