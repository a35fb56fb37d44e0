"""The invariant: a cut network computes what the whole one computes with those parts zeroed."""

from copy import deepcopy
from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.architecture.network import build_backbone

SHAPE = (3, 32, 32)


def cifar_net(depth: int, shortcut: str) -> dict:
    return dict(type='rethink_det.CifarResNet', depth=depth, base_channels=4, shortcut=shortcut)


def resnet(depth: int, **settings) -> dict:
    return dict(type='mmdet.ResNet', depth=depth, base_channels=8, **settings)


BACKBONES = {
    'cifar8-avgpool': cifar_net(8, 'avgpool'),
    'cifar8-subsample': cifar_net(8, 'subsample'),
    'cifar8-append': cifar_net(8, 'subsample-append'),
    'cifar20-avgpool': cifar_net(20, 'avgpool'),
    'cifar20-subsample': cifar_net(20, 'subsample'),
    'resnet18': resnet(18, norm_eval=False),
    'resnet18-frozen': resnet(18, norm_eval=True, frozen_stages=2),
    'resnet50': resnet(50, norm_eval=False),
    'resnet50-frozen': resnet(50, norm_eval=True, frozen_stages=4),
}


@cache
def whole(case: str) -> nn.Module:
    torch.manual_seed(3)
    return build_backbone(BACKBONES[case])


@cache
def groups(case: str) -> dict:
    surgeon = Surgeon(deepcopy(whole(case)), SHAPE)
    return {layer: surgeon.group(layer) for layer in surgeon.layers()}


def streams(case: str) -> list[str]:
    """One convolution that writes to the residual stream of each stage, in order."""
    last = 'conv3' if '50' in case else 'conv2'
    return [f'layer{stage}.0.{last}' for stage in range(1, 4 if 'cifar' in case else 5)]


@st.composite
def kept_sets(draw, widths: dict[str, int], every: bool = False) -> dict[str, tuple[int, ...]]:
    """Non-empty sets of channels, drawn as bit masks, for some or all layers."""
    some = st.lists(st.sampled_from(sorted(widths)), min_size=1, unique=True)
    layers = sorted(widths) if every else draw(some)
    masks = {layer: draw(st.integers(1, 2 ** widths[layer] - 1)) for layer in layers}
    return {
        layer: tuple(i for i in range(widths[layer]) if mask >> i & 1)
        for layer, mask in masks.items()
    }


def widths_to_cut(case: str) -> dict[str, int]:
    """Layers of their own, and the residual stream of each stage through one of its members."""
    alone = {n: g.width for n, g in groups(case).items() if not g.coupled and not g.obstacle}
    shared = {n: groups(case)[n].width for n in streams(case) if not groups(case)[n].obstacle}
    return alone | shared


@torch.no_grad()
def features(model: nn.Module, seed: int = 0) -> tuple[torch.Tensor, ...]:
    images = torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(seed))
    model.eval()  # mmdet's returns None
    return model(images)


@pytest.mark.parametrize('case', BACKBONES)
@given(data=st.data())
def test_the_cut_network_computes_what_the_zeroed_one_does(unsettle, case, data):
    keep = data.draw(kept_sets(widths_to_cut(case)))
    full = unsettle(deepcopy(whole(case)), data.draw(st.integers(0, 99)))
    small = deepcopy(full)
    before = features(full)
    Surgeon(full, SHAPE).zero(keep)
    Surgeon(small, SHAPE).cut(keep)
    assert [small.get_submodule(n).out_channels for n in keep] == [len(k) for k in keep.values()]
    for stage, wide, narrow, untouched in zip(
        streams(case), features(full), features(small), before, strict=True
    ):
        kept = list(keep.get(stage, range(wide.shape[1])))
        removed = sorted(set(range(wide.shape[1])) - set(kept))
        assert wide.shape == untouched.shape
        assert not wide[:, removed].any()
        assert (wide[:, kept] - narrow).abs().max() <= 1e-5
        assert narrow.abs().max() < 100, 'too large for an absolute tolerance'


def test_a_cut_changes_the_output(unsettle):
    """Or else the invariant above would hold for doing nothing."""
    model = unsettle(deepcopy(whole('resnet18')))
    before = features(model)
    Surgeon(model, SHAPE).cut({f'layer{stage}.0.conv1': (0,) for stage in (1, 2, 3, 4)})
    assert all((a - b).abs().max() > 1e-3 for a, b in zip(before, features(model), strict=True))


@given(data=st.data())
def test_cutting_twice_is_cutting_to_what_is_left(unsettle, data):
    first = data.draw(kept_sets(widths_to_cut('resnet18'), every=True))
    second = data.draw(kept_sets({n: len(k) for n, k in first.items()}, every=True))
    both = {n: tuple(first[n][i] for i in second[n]) for n in first}
    twice, once = (unsettle(deepcopy(whole('resnet18'))) for _ in range(2))
    Surgeon(twice, SHAPE).cut(first)
    Surgeon(twice, SHAPE).cut(second)
    Surgeon(once, SHAPE).cut(both)
    for name, tensor in once.state_dict().items():
        assert torch.equal(tensor, twice.state_dict()[name]), name


# -- groups --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'case, root, members',
    [
        ('resnet18', 'layer1.0.conv1', {'layer1.0.conv1'}),
        ('resnet18', 'conv1', {'conv1', 'layer1.0.conv2', 'layer1.1.conv2'}),
        (
            'resnet18-frozen',
            'layer2.1.conv2',
            {'layer2.0.conv2', 'layer2.0.downsample.0', 'layer2.1.conv2'},
        ),
        ('resnet50', 'layer1.2.conv2', {'layer1.2.conv2'}),
        (
            'resnet50-frozen',
            'layer4.0.downsample.0',
            {'layer4.0.downsample.0', *(f'layer4.{i}.conv3' for i in range(3))},
        ),
    ],
)
def test_a_group_is_what_is_added_together(case, root, members):
    group = groups(case)[root]
    assert set(group.members) == members and group.obstacle is None
    assert group.coupled == (len(members) > 1)


@pytest.mark.parametrize('case', [name for name in BACKBONES if name.startswith('cifar')])
def test_the_cifar_residual_stream_is_refused_by_name(case):
    surgeon = Surgeon(deepcopy(whole(case)), SHAPE)
    for layer in surgeon.layers():
        if layer.endswith('.conv1'):
            assert groups(case)[layer].members == (layer,)
            continue
        with pytest.raises(UserError, match=f'Layer {layer} cannot be pruned: .*shortcut'):
            surgeon.cut({layer: (0, 1)})


class Grouped(nn.Module):
    """1x1, grouped 3x3, 1x1 convolutions, as in a ResNeXt block; or depthwise."""

    def __init__(self, groups: int):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 1)
        self.norm1 = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1, groups=groups)
        self.norm2 = nn.BatchNorm2d(8)
        self.third = nn.Conv2d(8, 4, 1)

    def forward(self, x):
        x = self.norm1(self.first(x)).relu()
        return self.third(self.norm2(self.second(x)).relu())


def cut_and_zeroed(model, keep):
    small, full = deepcopy(model), deepcopy(model)
    Surgeon(small, SHAPE).cut(keep)
    Surgeon(full, SHAPE).zero(keep)
    images = torch.randn(2, *SHAPE)
    with torch.no_grad():
        return small, (small.eval()(images) - full.eval()(images)).abs().max()


@given(st.sets(st.integers(0, 3), min_size=1))
def test_groups_of_a_convolution_go_whole(kept):
    channels = tuple(sorted(2 * group + place for group in kept for place in (0, 1)))
    small, difference = cut_and_zeroed(Grouped(4), {'second': channels})
    assert difference <= 1e-5
    assert small.second.groups == len(kept)
    assert small.first.out_channels == small.second.in_channels == 2 * len(kept)


@given(st.sets(st.integers(0, 7), min_size=1), st.sampled_from(['first', 'second']))
def test_a_depthwise_convolution_follows_channel_by_channel(kept, layer):
    small, difference = cut_and_zeroed(Grouped(8), {layer: tuple(sorted(kept))})
    assert difference <= 1e-5
    assert small.second.groups == small.first.out_channels == len(kept)


@pytest.mark.parametrize(
    'keep, message',
    [
        ({'second': (0, 1, 2)}, 'Layer second is a grouped convolution.* whole groups of 2'),
        ({'first': (0, 1)}, 'Layer first cannot be pruned: second is a grouped convolution'),
    ],
)
def test_part_of_a_group_is_refused(keep, message):
    with pytest.raises(UserError, match=message):
        Surgeon(Grouped(4), SHAPE).cut(keep)


def test_groups_that_read_a_shared_stream_are_refused():
    model = nn.Sequential(nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1, groups=2), nn.Conv2d(4, 2, 1))
    with pytest.raises(UserError, match='Layer 1 .* does not come from one layer of its own'):
        Surgeon(model, (4, 8, 8)).cut({'1': (0, 1)})


def test_ratios_leave_what_a_grouped_convolution_reads_alone():
    surgeon = Surgeon(Grouped(4), SHAPE)
    assert [surgeon.group(name).prunable for name in surgeon.layers()] == [False, False, True]


class Odd(nn.Module):
    """A convolution cut off from the output, and one that no input fits."""

    def __init__(self, fails: bool = False):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)
        self.cut_off = nn.Sequential(nn.Conv2d(4, 4, 1))
        self.last = nn.Conv2d(5 if fails else 4, 2, 1)

    def forward(self, x):
        x = self.first(x)
        return self.last(x + self.cut_off(x).detach())


def test_a_module_that_fails_is_named():
    with pytest.raises(UserError, match="Odd cannot be traced .* at module 'last'"):
        _ = Surgeon(Odd(fails=True), SHAPE).graph


def test_a_layer_that_no_gradient_reaches_is_refused_by_name():
    surgeon = Surgeon(Odd(), SHAPE)
    assert [surgeon.group(name).prunable for name in surgeon.layers()] == [True, False, True]
    with pytest.raises(UserError, match='Layer cut_off.0 cannot be pruned: no gradient leads'):
        surgeon.cut({'cut_off.0': (0, 1)})


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'keep, message',
    [
        ({'layer7.0.conv1': (0,)}, "no convolution 'layer7.0.conv1'; it has: conv1, layer1"),
        ({'bn1': (0,)}, "no convolution 'bn1'"),
        ({'layer1.0.conv1': ()}, 'layer1.0.conv1 would keep no channel'),
        ({'layer1.0.conv1': (0, 8)}, 'layer1.0.conv1 would keep channel 8; valid are 0 to 7'),
        ({'layer1.0.conv1': (-1, 2)}, 'layer1.0.conv1 would keep channel -1; valid are 0 to 7'),
        ({'layer1.0.conv1': (2, 1)}, 'layer1.0.conv1.*sorted'),
        ({'layer1.0.conv1': (1, 1)}, 'layer1.0.conv1.*different'),
        (
            {'layer2.0.conv2': (0, 1), 'layer2.1.conv2': (0, 2)},
            'layer2.0.conv2 and layer2.1.conv2 .* same channels',
        ),
        (
            {'layer2.0.conv2': tuple(range(16)), 'layer2.1.conv2': (0, 2)},
            'layer2.0.conv2 and layer2.1.conv2 .* same channels',
        ),
    ],
)
@pytest.mark.parametrize('operation', ['cut', 'zero'])
def test_a_refusal_leaves_the_model_as_it_was(operation, keep, message):
    model = deepcopy(whole('resnet18'))
    keep = {'layer3.0.conv1': (0, 1), **keep}  # a good one first: it must not be done either
    with pytest.raises(UserError, match=message):
        getattr(Surgeon(model, SHAPE), operation)(keep)
    assert all(
        torch.equal(t, whole('resnet18').state_dict()[n]) for n, t in model.state_dict().items()
    )


def test_members_that_agree_are_cut_once():
    model = deepcopy(whole('resnet18'))
    Surgeon(model, SHAPE).cut({'layer2.0.conv2': (0, 5), 'layer2.1.conv2': (0, 5)})
    assert model.layer2[1].conv2.out_channels == model.layer3[0].conv1.in_channels == 2


def test_a_model_that_cannot_run_cannot_be_traced():
    with pytest.raises(UserError, match=r'ResNet cannot be traced with an input of \(1, 32, 32\)'):
        _ = Surgeon(deepcopy(whole('resnet18')), (1, 32, 32)).graph


def test_a_failed_trace_leaves_the_flags_as_they_were():
    model = deepcopy(whole('resnet18-frozen'))
    model.train()
    before = flags(model)
    with pytest.raises(UserError, match='cannot be traced'):
        _ = Surgeon(model, (1, 32, 32)).graph
    assert flags(model) == before


# -- flags ---------------------------------------------------------------------------------


def flags(model: nn.Module) -> tuple[dict, dict]:
    return (
        {name: module.training for name, module in model.named_modules()},
        {name: parameter.requires_grad for name, parameter in model.named_parameters()},
    )


@pytest.mark.parametrize('case', ['cifar8-avgpool', 'resnet18-frozen'])
@given(seed=st.integers(0, 2**32 - 1))
def test_surgery_leaves_modes_and_frozen_parameters_as_they_were(case, seed):
    model = deepcopy(whole(case))
    generator = torch.Generator().manual_seed(seed)
    for thing in [*model.modules(), *model.parameters()]:
        on = bool(torch.randint(2, (), generator=generator))
        if isinstance(thing, nn.Module):
            thing.training = on
        else:
            thing.requires_grad_(on)
    before = flags(model)
    surgeon = Surgeon(model, SHAPE)
    surgeon.zero({'layer1.0.conv1': (0, 1)})
    assert flags(model) == before
    surgeon.cut({'layer1.0.conv1': (0, 1)})
    assert flags(model) == before
    assert all(p.grad is None for p in model.parameters())


def test_tracing_leaves_the_running_statistics_alone():
    model = deepcopy(whole('resnet18'))
    model.train()
    Surgeon(model, SHAPE)
    assert all(
        torch.equal(t, whole('resnet18').state_dict()[n]) for n, t in model.state_dict().items()
    )


def test_checkpointed_blocks_are_cut_too(unsettle):
    torch.manual_seed(3)
    model = unsettle(build_backbone(resnet(18, norm_eval=False, with_cp=True)))
    plain = unsettle(build_backbone(resnet(18, norm_eval=False)))
    plain.load_state_dict(model.state_dict())
    for each in (model, plain):
        Surgeon(each, SHAPE).cut({'layer1.0.conv1': (1, 2), 'layer3.0.conv2': (0, 9)})
    assert all(block.with_cp for block in model.layer1)
    for a, b in zip(features(model), features(plain), strict=True):
        assert torch.equal(a, b)


def test_published_names_of_layers_are_those_of_the_network():
    architecture = PrunedArchitecture.load('resnet56-b')
    surgeon = Surgeon(architecture.base.build_network(), (3, 32, 32), prefix='backbone.')
    assert surgeon.layers() == list(architecture.widths)
    assert set(architecture.channels) <= set(surgeon.layers())
