"""Gradients that were computed elsewhere arrive as those of a backward pass."""

import pytest
import torch
from torch import nn

from rethink_det.training.together.handed import handed_loss
from rethink_det.training.together.side_by_side import Found

GRADIENT = torch.tensor([1.0, -2.0])


def handed(weight):
    return handed_loss(Found(torch.tensor(3.0), {'w': GRADIENT, 'unused': None}), {'w': weight})


@pytest.mark.parametrize('scale', [1.0, 0.5, 1024.0])
def test_they_scale_with_the_loss(scale):
    weight = nn.Parameter(torch.zeros(2))
    loss = handed(weight) * scale
    assert loss.item() == 3.0 * scale
    loss.backward()
    assert torch.equal(weight.grad, GRADIENT * scale)


def test_they_accumulate_and_pass_through_the_hooks_of_a_tensor():
    weight = nn.Parameter(torch.zeros(2))
    weight.register_hook(lambda gradient: gradient + 1)
    handed(weight).backward()
    handed(weight).backward()
    assert torch.equal(weight.grad, 2 * (GRADIENT + 1))


def test_what_the_loss_does_not_depend_on_gets_none():
    weight, unused = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
    found = Found(torch.tensor(3.0), {'w': GRADIENT, 'unused': None})
    handed_loss(found, {'w': weight, 'unused': unused}).backward()
    assert unused.grad is None


def test_a_loss_without_gradients_cannot_go_backward():
    with pytest.raises(RuntimeError, match='does not require grad'):
        handed_loss(Found(torch.tensor(3.0), {}), {}).backward()
