"""What a network costs is counted where it can run."""

import pytest
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.cost import count


def test_the_cost_on_an_input_that_the_network_does_not_read_is_refused():
    with pytest.raises(UserError, match=r'Network cannot run on an input of \(1, 32, 32\)'):
        PrunedArchitecture.load('resnet56-a').cost((1, 32, 32))


def test_the_cost_on_an_image_that_is_too_small_is_refused_by_module():
    with pytest.raises(UserError, match=r'Sequential cannot run on an input of \(3, 2, 2\)'):
        count(nn.Sequential(nn.Conv2d(3, 4, 5)), (3, 2, 2))
