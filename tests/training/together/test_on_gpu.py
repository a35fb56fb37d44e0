"""On a GPU a step together is the step of each alone, and nothing of one reaches another."""

from dataclasses import replace

import pytest
import torch

from rethink_det import UserError
from rethink_det.training.together.agreement import Outcome, check_agreement
from rethink_det.training.together.handed import handed_loss
from rethink_det.training.together.side_by_side import Losses, Step, step_together
from tests.training.together.test_side_by_side import assert_same_bits, results, small, steps_of

pytestmark = pytest.mark.gpu


def on_gpu(models):
    for step in steps_of(models, torch.float32, batch=16):
        model = step.losses.model.to('cuda', memory_format=torch.channels_last)
        yield Step(Losses(model), step.inputs.cuda(), step.gt_label.cuda())


@pytest.fixture
def exactly():
    """Kernels that add in one order, in float32."""
    before = torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32 = True, False
    yield
    torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32 = before


def test_a_step_is_that_of_the_cpu(exactly):
    expected = results(list(steps_of(small(), torch.float32, batch=16)))
    found = results(list(on_gpu(small())))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5, check_device=False)


@pytest.mark.parametrize('low', [False, True], ids=['float32', 'bfloat16'])
def test_who_else_is_there_changes_no_bit(exactly, low):
    poisoned, missing = small(), small()
    with torch.no_grad():
        poisoned[1].backbone.conv1.weight[0] = float('nan')
    with torch.autocast('cuda', torch.bfloat16, enabled=low):
        whole = results(list(on_gpu(small())))
        lost = results(list(on_gpu(poisoned)))
        steps = list(on_gpu(missing))
        some = results([steps[0], None, steps[2]])
    assert_same_bits([lost[0], lost[2]], [whole[0], whole[2]])
    assert_same_bits(some, [whole[0], whole[2]])


@pytest.mark.parametrize('low', [False, True], ids=['float32', 'bfloat16'])
def test_together_and_alone_are_compared(low):
    steps = list(on_gpu(small()))
    with torch.autocast('cuda', torch.bfloat16, enabled=low):
        expected = Outcome.alone(steps[0])
        loss = handed_loss(step_together(steps)[0], steps[0].losses.state())
        found = Outcome.of(loss, steps[0])
        check_agreement(found, expected)
        with pytest.raises(UserError, match='the loss is'):
            check_agreement(replace(found, loss=2 * found.loss), expected)
