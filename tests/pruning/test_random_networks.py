"""Networks drawn at random: whatever they are made of, what is cut is what is zeroed."""

import json
import warnings

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.cost import count
from rethink_det.pruning import prune_state
from rethink_det.registry import MODELS

SHAPE = (3, 8, 8)
HEAD = dict(type='rethink_det.LinearHead', num_classes=3)
STEPS = ('conv', 'grouped', 'depthwise', 'gate', 'residual', 'dense', 'halves', 'shuffle', 'norm')
HEADS = 2


class Step(nn.Module):
    """One operation on a map of so many channels; ``width`` is what comes out."""

    def __init__(self, kind, width):
        super().__init__()
        self.kind, self.width = kind, width
        if kind == 'conv':
            self.width = width + 4
            self.conv = nn.Conv2d(width, self.width, 3, padding=1)
        elif kind == 'grouped':
            self.conv = nn.Conv2d(width, width, 3, padding=1, groups=4)
        elif kind == 'depthwise':
            self.conv = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        elif kind == 'gate':
            self.down, self.up = nn.Conv2d(width, 8, 1), nn.Conv2d(8, width, 1)
        elif kind == 'residual':
            self.one, self.other = nn.Conv2d(width, 8, 3, padding=1), nn.Conv2d(8, width, 1)
        elif kind == 'dense':
            self.conv, self.width = nn.Conv2d(width, 4, 3, padding=1), width + 4
        elif kind == 'halves':
            self.half = width // 2
            self.conv = nn.Conv2d(self.half, self.half, 3, padding=1)
        elif kind == 'norm':
            self.norm = nn.BatchNorm2d(width)
            nn.init.uniform_(self.norm.weight, 0.5, 1.5)
            nn.init.normal_(self.norm.bias, 0, 0.2)

    def forward(self, x):
        if self.kind in ('conv', 'grouped', 'depthwise'):
            return self.conv(x)
        if self.kind == 'gate':
            pooled = x.mean((2, 3), keepdim=True)
            return x * self.up(self.down(pooled).relu()).sigmoid()
        if self.kind == 'residual':
            return x + self.other(self.one(x).relu())
        if self.kind == 'dense':
            return torch.cat([x, self.conv(x)], 1)
        if self.kind == 'halves':
            kept, changed = x.split(self.half, 1)
            return torch.cat([kept, self.conv(changed)], 1)
        if self.kind == 'shuffle':
            n, c, h, w = x.shape
            return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return self.norm(x)


class Attention(nn.Module):
    """Heads of attention over the pixels, whose sizes are numbers of its own."""

    def __init__(self, width):
        super().__init__()
        self.heads, self.size = HEADS, width // HEADS
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, c, h, w = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        query, key, value = (
            self.qkv(tokens).view(n, h * w, 3, self.heads, self.size).permute(2, 0, 3, 1, 4)
        )
        weights = (query @ key.transpose(-2, -1) / 4).softmax(-1)
        mixed = (weights @ value).transpose(1, 2).reshape(n, h * w, self.heads * self.size)
        return x + self.out(mixed).transpose(1, 2).view(n, c, h, w)


@MODELS.register_module(name='RandomSteps')
class RandomSteps(nn.Module):
    """A stem, and steps of the given kinds."""

    def __init__(self, kinds, attention=False):
        super().__init__()
        width = 16
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        steps = []
        for kind in kinds:
            steps.append(Step(kind, width))
            width = steps[-1].width
        self.steps = nn.Sequential(*steps)
        self.attention = Attention(width) if attention else nn.Identity()

    def forward(self, x):
        return (self.attention(self.steps(self.stem(x))),)


def parent(kinds, attention):
    backbone = dict(type='RandomSteps', kinds=list(kinds), attention=attention)
    return PrunedArchitecture(backbone, HEAD, SHAPE)


networks = st.builds(parent, st.lists(st.sampled_from(STEPS), max_size=6), st.booleans())
pruners = st.builds(
    dict,
    type=st.sampled_from(['GroupNormPruner', 'L1NormPruner', 'RandomPruner']),
    groups=st.just('coupled'),
    ratios=st.sampled_from([0.25, 0.5, 0.7]),
    scope=st.sampled_from(['layer', 'global']),
)


def pruned(architecture, pruner):
    torch.manual_seed(1)
    state = architecture.build_network().state_dict()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)
        try:
            return state, prune_state(state, pruner, architecture)
        except UserError as error:
            assert 'cannot run' in str(error)  # noqa: PT017  nothing was written, and it says why
            assume(False)


@settings(max_examples=15, deadline=None)
@given(networks, pruners)
def test_the_cut_network_is_the_zeroed_network(architecture, pruner):
    state, result = pruned(architecture, pruner)
    zeroed = architecture.network_with(state)
    cut = Cut(channels=result.architecture.channels, coupled=True)
    cut.zero(Surgeon(zeroed, SHAPE, 'backbone.'))
    images = torch.randn(2, *SHAPE)
    small = result.architecture.network_with(result.state_dict)
    with torch.no_grad():
        expected = zeroed.eval()(images)
        difference = (small.eval()(images) - expected).abs().max()
    assert difference <= 1e-5 * max(1, expected.abs().max())


@settings(max_examples=15, deadline=None)
@given(networks, pruners)
def test_it_is_written_read_and_counted(architecture, pruner):
    _, result = pruned(architecture, pruner)
    found = result.architecture
    assert PrunedArchitecture.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    fresh = found.shape().build_network()
    tensors = {name: tensor.shape for name, tensor in result.state_dict.items()}
    assert {name: tensor.shape for name, tensor in fresh.state_dict().items()} == tensors
    assert found.cost().params == sum(p.numel() for p in fresh.parameters())
    assert found.cost().macs == count(fresh, SHAPE).macs


@settings(max_examples=15, deadline=None)
@given(networks)
def test_half_of_all_widths_takes_much_of_every_network(architecture):
    assume('shuffle' not in architecture.backbone['kinds'])  # which ties most of all channels
    _, result = pruned(architecture, dict(type='GroupNormPruner', ratios=0.5))
    left = result.architecture.cost()
    assert left.params < 0.7 * architecture.cost().params
