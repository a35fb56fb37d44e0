"""Channels followed through what a network computes: what is tied, what stays, what is unknown."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from rethink_det import UserError
from rethink_det.architecture import Cut, Surgeon
from rethink_det.architecture.channel_trace import ChannelTrace
from rethink_det.architecture.cost import count

SHAPE = (3, 8, 8)


class Net(nn.Module):
    """A stem, something, and a convolution that reads what comes out."""

    def __init__(self, between, width=8, **parts):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 1)
        for name, part in parts.items():
            setattr(self, name, part)
        self.between = between
        self.last = nn.Conv2d(width, 5, 1)

    def forward(self, x):
        return self.last(self.between(self, self.stem(x)))


def groups_of(net):
    return {group.root: group for group in Surgeon(net, SHAPE).coupling.groups}


def sets_of(net, name, dim=0):
    trace = ChannelTrace(net, SHAPE)
    return trace.sets.of[trace.sides[name, dim]].tolist(), trace


PASSING = {
    'activation': lambda _, x: F.gelu(x).clamp(-3, 3),
    'a mean over pixels': lambda _, x: x * x.mean((2, 3), keepdim=True),
    'moved and back': lambda _, x: (
        x.permute(0, 2, 3, 1).flatten(1, 2).transpose(1, 2).unflatten(2, (8, 8))
    ),
    'pixels rolled': lambda _, x: x.roll(1, 2).flip(3),
    'padded and pooled': lambda _, x: F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 2),
    'scaled to norm 1': lambda _, x: F.normalize(x, dim=1),
    'resized': lambda _, x: F.interpolate(x, scale_factor=2.0, mode='bilinear'),
    'transformed along pixels': lambda _, x: torch.fft.irfft2(torch.fft.rfft2(x), s=(8, 8)),
    'windows and back': lambda _, x: F.fold(F.unfold(x, 2, stride=2), (8, 8), 2, stride=2),
    'two parts joined again': lambda _, x: torch.cat(x.chunk(2, 1), 1),
    'a new tensor of as many': lambda _, x: torch.zeros(x.shape[1], 1, 1) + x,
    'one by one': lambda _, x: torch.stack([x, x], 1).sum(1),
}


@pytest.mark.parametrize('what', PASSING)
def test_channels_come_out_in_their_places(what):
    net = Net(PASSING[what])
    made, trace = sets_of(net, 'stem.weight')
    assert trace.sets.of[trace.sides['last.weight', 1]].tolist() == made
    assert len(set(made)) == 8 and not set(made) & set(trace.sets.reasons)


def test_a_product_of_matrices_ties_what_it_sums_over():
    net = Net(
        lambda net, x: (
            (x.flatten(2).transpose(1, 2) @ net.mix).transpose(1, 2).unflatten(2, (8, 8))
        ),
        width=6,
        mix=nn.Parameter(torch.ones(8, 6)),
    )
    made, trace = sets_of(net, 'stem.weight')
    mixed = [trace.sets.of[trace.sides['mix', dim]].tolist() for dim in (0, 1)]
    assert mixed[0] == made
    assert mixed[1] == trace.sets.of[trace.sides['last.weight', 1]].tolist()


@pytest.mark.parametrize('norm', [nn.LayerNorm, nn.RMSNorm])
def test_a_norm_without_weights_is_told_how_wide_it_is(norm):
    net = Net(
        lambda net, x: net.norm(x.movedim(1, -1)).movedim(-1, 1),
        norm=norm(8, elementwise_affine=False),
    )
    Cut(channels={'stem': (0, 3, 4)}, coupled=True).apply(Surgeon(net, SHAPE))
    assert net.norm.normalized_shape == (3,) and net(torch.zeros(1, *SHAPE)).shape[1] == 5


def test_concatenated_channels_are_those_of_both():
    net = Net(lambda net, x: torch.cat([x, net.more(x)], 1), width=12, more=nn.Conv2d(8, 4, 1))
    read, trace = sets_of(net, 'last.weight', 1)
    parts = [
        trace.sets.of[trace.sides[name, 0]].tolist() for name in ('stem.weight', 'more.weight')
    ]
    assert read == [*parts[0], *parts[1]]


def test_groups_of_a_convolution_are_narrowed_alike():
    net = Net(lambda net, x: net.mid(x), mid=nn.Conv2d(8, 8, 1, groups=2))
    made, trace = sets_of(net, 'mid.weight')
    assert made[:4] == made[4:] and len(set(made)) == 4
    stem = trace.sets.of[trace.sides['stem.weight', 0]].tolist()
    assert stem[:4] == stem[4:]


def test_a_depthwise_convolution_is_tied_to_what_it_reads():
    net = Net(lambda net, x: net.mid(x), width=16, mid=nn.Conv2d(8, 16, 3, padding=1, groups=8))
    made, trace = sets_of(net, 'mid.weight')
    stem = trace.sets.of[trace.sides['stem.weight', 0]].tolist()
    assert made == [one for one in stem for _ in range(2)]


def test_halves_of_a_map_are_kinds_of_their_own():
    net = Net(lambda net, x: net.front(x[:, : x.shape[1] // 2]), width=4, front=nn.Conv2d(4, 4, 1))
    group = groups_of(net)['stem']
    assert sorted(len(kind) for kind in group.kinds) == [4, 4]


def test_a_computed_kernel_is_followed():
    net = Net(
        lambda net, x: F.conv2d(x, net.kernel / net.kernel.std((1, 2, 3), keepdim=True)),
        width=6,
        kernel=nn.Parameter(torch.randn(6, 8, 1, 1)),
    )
    made, trace = sets_of(net, 'stem.weight')
    assert trace.sets.of[trace.sides['kernel', 1]].tolist() == made


STAYING = {
    'a fixed vector': (lambda _, x: x + torch.ones(8, 1, 1), 'something of a fixed width'),
    'single channels': (lambda _, x: x * x.unbind(1)[3][:, None], 'takes single channels'),
    'a size in the code': (lambda _, x: torch.cat([x[:, :3], x[:, 3:]], 1), 'a size in its code'),
    'an order': (lambda _, x: x * x.topk(8, 1).values, 'puts it in order'),
    'constants': (lambda _, x: x + F.pad(x[:, 2:6], (0, 0, 0, 0, 2, 2)), 'always stay'),
    'no rule': (lambda _, x: torch.cdist(x.flatten(2), x.flatten(2))[..., None], 'not followed'),
}


@pytest.mark.parametrize('what', STAYING)
def test_what_cannot_follow_stays_and_it_says_why(what):
    between, why = STAYING[what]
    _, trace = sets_of(Net(between), 'stem.weight')
    assert any(why in reason for reason in trace.sets.reasons.values())


def test_a_layer_that_stays_is_refused_with_the_reason():
    surgeon = Surgeon(Net(STAYING['a fixed vector'][0]), SHAPE)
    (group,) = (g for g in surgeon.coupling.groups if g.root == 'stem')
    assert 'something of a fixed width' in group.obstacle
    with pytest.raises(UserError, match='stem cannot be pruned: .* a fixed width'):
        group.numbers_for({'stem': 4})


def test_a_network_that_cannot_run_is_refused_by_its_module():
    net = Net(lambda net, x: net.wrong(x), wrong=nn.Conv2d(9, 8, 1))
    with pytest.raises(UserError, match="cannot be followed .* at module 'wrong'"):
        ChannelTrace(net, SHAPE)


def test_nothing_of_the_network_is_changed():
    net = Net(PASSING['activation']).train()
    before = {name: dict(vars(module)) for name, module in net.named_modules()}
    ChannelTrace(net, SHAPE)
    after = {name: vars(module) for name, module in net.named_modules()}
    assert all(type(after[n][k]) is type(v) for n, own in before.items() for k, v in own.items())
    assert net.training and all(p.requires_grad for p in net.parameters())


def test_it_takes_no_memory_for_weights():
    with torch.device('meta'):
        net = Net(PASSING['activation'])
    made, trace = sets_of(net, 'stem.weight')
    assert trace.sets.of[trace.sides['last.weight', 1]].tolist() == made


class Recurrent(nn.Module):
    """A layer, one of torch's recurrent ones along the columns, and another."""

    def __init__(self):
        super().__init__()
        self.stem, self.rnn, self.last = nn.Conv2d(3, 8, 1), nn.LSTM(8, 6), nn.Conv2d(6, 5, 1)

    def forward(self, x):
        rows = self.stem(x).flatten(2).permute(2, 0, 1)
        return self.last(self.rnn(rows)[0].permute(1, 2, 0).unflatten(2, (8, 8)))


def test_a_recurrent_layer_follows_what_it_reads():
    net = Recurrent().eval()
    expected = deepcopy(net)
    cut = Cut(channels={'stem': (0, 2, 3, 7)}, coupled=True)
    cut.zero(Surgeon(expected, SHAPE))
    cut.apply(Surgeon(net, SHAPE))
    images = torch.randn(2, *SHAPE)
    assert net.rnn.input_size == 4 and net.rnn.weight_ih_l0.shape == (24, 4)
    assert torch.allclose(net(images), expected(images), atol=1e-6)


def test_a_recurrent_layer_costs_the_same_with_and_without_memory():
    net = Recurrent()
    with torch.device('meta'):
        shape = Recurrent()
    assert count(net, SHAPE).macs == count(shape, SHAPE).macs > 64 * 4 * 6 * 14
