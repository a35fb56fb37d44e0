"""Which hooks act in a step, and which of them within it."""

import pytest
from mmengine.hooks import EMAHook, Hook, IterTimerHook, LoggerHook, RuntimeInfoHook

from rethink_det.training import GradualMagnitudeHook, StructureScaleHook
from rethink_det.training.hooks import within_step
from rethink_det.training.step_hooks import StepHooks, acts_in_step, only_looks


class Runner:
    """As much of one as is asked for its hooks."""

    def __init__(self, *hooks):
        self.hooks = hooks


class Own(within_step.WithinStepHook):
    """Keeps notes of what it does."""

    def __init__(self):
        self.notes = []

    def after_step(self, runner):
        self.notes.append('step')

    def between_steps(self, runner):
        self.notes.append('between')


def test_any_loop_does_both_parts_and_a_recording_the_first():
    hook = Own()
    hook.after_train_iter(None, 0, data_batch=None, outputs=None)
    assert hook.notes == ['step', 'between']
    hooks = StepHooks.of(Runner(IterTimerHook(), hook), recorded=True)
    assert hooks.within == [hook] and len(hooks.after) == 2
    hooks.after[-1](None, batch_idx=0, data_batch=None, outputs=None)
    assert hook.notes == ['step', 'between', 'between']


def test_without_a_recording_nothing_is_within():
    hooks = StepHooks.of(Runner(hook := Own()), recorded=False)
    assert not hooks.within and hooks.after == [hook.after_train_iter]


def test_a_hook_waits_for_those_before_it():
    average, hook = EMAHook(), Own()  # averages weights before the hook changes them
    hooks = StepHooks.of(Runner(average, hook), recorded=True)
    assert not hooks.within
    assert hooks.after == [average.after_train_iter, hook.after_train_iter]
    assert StepHooks.of(Runner(hook, average), recorded=True).within == [hook]


def test_a_subclass_that_does_more_after_a_step_is_not_within():
    class More(Own):
        def after_train_iter(self, runner, batch_idx, **kwargs):
            super().after_train_iter(runner, batch_idx, **kwargs)
            self.notes.append('more')

    hooks = StepHooks.of(Runner(hook := More()), recorded=True)
    assert not hooks.within and hooks.after == [hook.after_train_iter]


def test_our_hooks_that_change_weights_after_a_step_can_be_within():
    hooks = [StructureScaleHook(0.01), GradualMagnitudeHook(0.5, end=1)]
    assert StepHooks.of(Runner(*hooks), recorded=True).within == hooks


def test_what_a_hook_says_of_itself_holds_for_its_class_alone():
    class Looks(Hook):
        only_looks = True

    class Heir(Looks):
        pass

    assert only_looks(Looks()) and not only_looks(Heir())
    assert only_looks(RuntimeInfoHook()) and not only_looks(LoggerHook())


@pytest.mark.parametrize('name', ['before_train_iter', '_after_iter'])
def test_a_hook_acts_by_any_method_even_an_objects_own(name):
    hook = Hook()
    assert not acts_in_step(hook)
    setattr(hook, name, lambda runner, **kwargs: None)
    assert acts_in_step(hook)
