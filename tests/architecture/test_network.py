"""Backbone and head: built from configs that stay as they are, without memory where that can be."""

import pytest
import torch
from torch import nn

from rethink_det import UserError
from rethink_det.architecture.network import build_backbone, build_network, without_memory
from rethink_det.registry import MODELS

HEAD = dict(type='rethink_det.LinearHead', num_classes=5)


@MODELS.register_module()
class Greedy(nn.Module):
    """Takes what it needs out of its config, as some of mmdet's detectors do."""

    def __init__(self, widths: dict) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, widths.pop('stem'), 3)

    def forward(self, x):
        return self.conv(x)


@MODELS.register_module()
class ByValue(nn.Module):
    """Computes with values while it is built."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.scale = self.conv.weight.abs().max().item()

    def forward(self, x):
        return self.conv(x) * self.scale


def test_a_config_can_be_built_from_twice():
    config = dict(type='rethink_det.Greedy', widths={'stem': 4})
    first, second = build_backbone(config), build_backbone(config)
    assert first.conv.out_channels == second.conv.out_channels == 4
    assert config == dict(type='rethink_det.Greedy', widths={'stem': 4})


def test_weights_have_no_memory_where_that_can_be():
    plain = without_memory(lambda: nn.Linear(3, 4))
    assert plain.weight.is_meta
    config = dict(type='rethink_det.ByValue', width=6)
    network = without_memory(lambda: build_network(config, HEAD, (3, 8, 8)))
    assert network.head.fc.in_features == 6
    assert not any(p.is_meta for p in network.parameters())
    assert torch.get_default_device().type == 'cpu'


def test_what_cannot_be_built_at_all_is_refused():
    devices = []

    def build():
        devices.append(torch.empty(0).device.type)
        return build_backbone(dict(type='rethink_det.NoSuchNet'))

    with pytest.raises(UserError, match='NoSuchNet'):
        without_memory(build)
    assert devices == ['meta']  # and no memory is taken to find that out
    with pytest.raises(UserError, match=r'cannot run on an input of \(1, 8, 8\)'):
        config = dict(type='rethink_det.Greedy', widths={'stem': 4})
        without_memory(lambda: build_network(config, HEAD, (1, 8, 8)))
