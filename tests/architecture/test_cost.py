"""What a network costs is counted where it can run."""

import pytest
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.cost import count
from rethink_det.registry import MODELS


def test_the_cost_on_an_input_that_the_network_does_not_read_is_refused():
    with pytest.raises(UserError, match=r'Network cannot run on an input of \(1, 32, 32\)'):
        PrunedArchitecture.load('resnet56-a').cost((1, 32, 32))


def test_the_cost_on_an_image_that_is_too_small_is_refused_by_module():
    with pytest.raises(UserError, match=r'Sequential cannot run on an input of \(3, 2, 2\)'):
        count(nn.Sequential(nn.Conv2d(3, 4, 5)), (3, 2, 2))


def test_which_channels_are_kept_is_no_part_of_the_count(cifar):
    last, first = tuple(range(8, 16)), tuple(range(8))
    kept = [cifar(channels={'layer3.0.conv1': one}) for one in (first, last, 8)]
    costs = [one.cost() for one in kept]
    assert costs[0] == costs[1] == costs[2] == count(kept[1].skeleton(), (3, 16, 16))
    assert kept[0].cost((3, 8, 8)) != costs[0] != cifar(channels={'layer3.0.conv1': 7}).cost()


def test_a_class_that_is_registered_anew_is_counted_anew():
    """As in a notebook whose author goes on writing it: no number is stale."""
    macs = []
    for width in (4, 6):

        @MODELS.register_module(name='OfThisTest', force=True)
        class _Backbone(nn.Sequential):
            width_of_it = width

            def __init__(self) -> None:
                super().__init__(nn.Conv2d(3, self.width_of_it, 1), nn.ReLU())

        backbone = {'type': 'rethink_det.OfThisTest'}
        head = {'type': 'rethink_det.LinearHead', 'num_classes': 2}
        macs.append(PrunedArchitecture(backbone, head, (3, 8, 8)).cost().macs)
    del MODELS.module_dict['OfThisTest']
    assert macs == [4 * 3 * 64 + 4 * 2, 6 * 3 * 64 + 6 * 2]
