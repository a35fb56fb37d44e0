"""A recorded step of a group is the step itself, whoever leaves it and wherever tensors go."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_det.training.static_step import WARM_UP, NotRecordedError
from rethink_det.training.together.repeated import RepeatedSteps, recorder_of
from rethink_det.training.together.side_by_side import step_together
from tests.training.together.test_side_by_side import assert_same_bits, small, steps_of


class Kept:
    """A recording that does its step again, into the same tensors, as a graph does."""

    def __init__(self, step):
        self._step, self.outputs = step, None

    def replay(self):
        new = self._step()
        self.outputs = self.outputs or {name: torch.empty_like(one) for name, one in new.items()}
        for name, value in new.items():
            self.outputs[name].copy_(value)


class Recorder:
    """Counts what is rehearsed and what is recorded."""

    def __init__(self):
        self.rehearsed, self.recorded = 0, 0

    def rehearse(self, step):
        self.rehearsed += 1
        return step()

    def record(self, step):
        self.recorded += 1
        return Kept(step)


def descend(steps, found):
    """A step down the gradients, in place; what was found, copied."""
    copied = []
    for step, own in zip(steps, found, strict=True):
        if step is None:
            continue
        state = step.losses.state()
        gradients = {name: g.clone() for name, g in own.gradients.items() if g is not None}
        copied.append((own.loss.clone(), gradients))
        with torch.no_grad():
            for name, gradient in gradients.items():
                state[name] -= 0.1 * gradient
    return copied


def trained(compute, batches, models=None):
    """What steps on batches of these sizes come to; of a negative size the first member is gone."""
    models = models or small()
    found, losses = [], [step.losses for step in steps_of(models, torch.float32)]
    for number, size in enumerate(batches):
        steps = list(steps_of(models, torch.float32, batch=abs(size), seed=number))
        steps = [type(s)(own, s.inputs, s.gt_label) for s, own in zip(steps, losses, strict=True)]
        steps[0] = steps[0] if size > 0 else None
        found.append(descend(steps, compute(steps)))
    return found


SIZES = st.lists(st.sampled_from([4, 4, 4, 3]), min_size=1, max_size=WARM_UP + 6)


@settings(max_examples=6)
@given(SIZES, st.lists(st.sampled_from([-4, -3]), max_size=WARM_UP + 2))
def test_it_comes_to_the_same_bits(there, gone):
    recorder = Recorder()
    found = trained(RepeatedSteps(lambda device: recorder), [*there, *gone])
    assert_same_bits(found, trained(step_together, [*there, *gone]))
    for size in (4, 3):  # the second group warms up anew
        expected = sum(max(0, n - WARM_UP) > 0 for n in (there.count(size), gone.count(-size)))
        assert recorder.recorded >= expected
    assert recorder.rehearsed <= 4 * WARM_UP


def test_tensors_that_moved_are_recorded_anew():
    recorder, models = Recorder(), small()
    repeated = RepeatedSteps(lambda device: recorder)
    first = trained(repeated, [4] * (WARM_UP + 2), models)
    assert (recorder.rehearsed, recorder.recorded) == (WARM_UP, 1)
    losses = [step.losses for step in steps_of(models, torch.float32)]

    def step(number):
        steps = list(steps_of(models, torch.float32, batch=4, seed=number))
        return [type(s)(own, s.inputs, s.gt_label) for s, own in zip(steps, losses, strict=True)]

    for number in range(WARM_UP + 1):
        descend(step(number), repeated(step(number)))
    assert recorder.recorded == 2
    models[0].backbone.conv1.weight.data = models[0].backbone.conv1.weight.data.clone()
    for number in range(WARM_UP + 1):
        descend(step(number), repeated(step(number)))
    assert recorder.recorded == 3 and first


def test_what_cannot_be_recorded_is_done_as_ever(caplog):
    class Refusing(Recorder):
        def record(self, step):
            raise NotRecordedError('the step waits for the device')

    sizes = [4] * (WARM_UP + 3)
    found = trained(RepeatedSteps(lambda device: Refusing()), sizes)
    assert_same_bits(found, trained(step_together, sizes))


def test_steps_on_a_cpu_are_not_recorded():
    assert recorder_of(torch.device('cpu')) is None
    with pytest.raises(ValueError, match='no member'):
        RepeatedSteps()([None, None])
