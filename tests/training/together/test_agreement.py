"""What is computed together and alone is compared, and what differs is refused by name."""

from dataclasses import replace

import pytest
import torch

from rethink_det import UserError
from rethink_det.training.together.agreement import Outcome, check_agreement
from rethink_det.training.together.handed import handed_loss
from rethink_det.training.together.side_by_side import step_together
from tests.training.together.test_side_by_side import assert_same_bits, small, steps_of


@pytest.fixture
def outcomes():
    """What a member comes to together with another, and alone."""
    steps = list(steps_of(small(2), torch.float32))
    alone = Outcome.alone(steps[0])
    loss = handed_loss(step_together(steps)[0], steps[0].losses.state())
    return Outcome.of(loss, steps[0]), alone


def test_the_two_agree(outcomes):
    check_agreement(*outcomes)


def test_looking_leaves_the_network_as_it_was():
    (step,) = steps_of(small(1), torch.float32)
    before = {name: tensor.clone() for name, tensor in step.losses.state().items()}
    alone = Outcome.alone(step)
    assert_same_bits(before.values(), step.losses.state().values())
    assert all(parameter.grad is None for parameter in step.losses.parameters())
    name = 'model.backbone.bn1.running_mean'
    assert not torch.equal(alone.buffers[name], before[name])


def twice(tensors, name):
    return {**tensors, name: 2 * tensors[name]}


@pytest.mark.parametrize('name', ['model.backbone.conv1.weight', 'model.head.fc.bias'])
def test_another_gradient_is_refused(outcomes, name):
    found, alone = outcomes
    for other in (twice(found.gradients, name), {**found.gradients, name: None}):
        with pytest.raises(UserError, match=f'gradient of {name[6:]} is .*--together 1'):
            check_agreement(replace(found, gradients=other), alone)


def test_another_loss_or_statistic_is_refused(outcomes):
    found, alone = outcomes
    with pytest.raises(UserError, match='the loss is'):
        check_agreement(replace(found, loss=2 * found.loss), alone)
    for name in ('model.backbone.bn1.running_var', 'model.backbone.bn1.num_batches_tracked'):
        with pytest.raises(UserError, match=f'{name[6:]} is 1 of it off'):
            check_agreement(replace(found, buffers=twice(found.buffers, name)), alone)


def test_what_diverged_is_not_compared(outcomes):
    found, alone = outcomes
    lost = torch.tensor(float('nan'))
    check_agreement(replace(found, loss=lost), replace(alone, loss=lost))
    with pytest.raises(UserError, match='the loss is nan'):
        check_agreement(replace(found, loss=lost), alone)


def test_few_bits_are_compared_by_few(outcomes):
    found, alone = outcomes
    name = 'model.head.fc.weight'
    blurred = {**found.gradients, name: 1.1 * found.gradients[name]}
    with torch.autocast('cpu', torch.bfloat16):
        check_agreement(replace(found, gradients=blurred), alone)
    with pytest.raises(UserError, match='head.fc.weight is 0.1 of it off'):
        check_agreement(replace(found, gradients=blurred), alone)
