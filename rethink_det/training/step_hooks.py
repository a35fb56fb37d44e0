"""The hooks that act in a training step, and when."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeGuard

from mmengine.hooks import Hook, IterTimerHook, RuntimeInfoHook
from mmengine.runner import Runner

from rethink_det.training.hooks.finite import FiniteHook
from rethink_det.training.hooks.lazy_losses import LazyLossesHook
from rethink_det.training.hooks.progress import ProgressHook
from rethink_det.training.hooks.within_step import WithinStepHook

ONLY_LOOKS = 'only_looks'
"""A hook class whose own attribute of this name is true changes nothing that a step reads."""

_LOOKING = (FiniteHook, IterTimerHook, ProgressHook, RuntimeInfoHook)

BEFORE, AFTER = ('before_train_iter', '_before_iter'), ('after_train_iter', '_after_iter')
"""The methods of a hook that act in a step."""


@dataclass
class StepHooks:
    """The hooks that act in a step: before it, in it, and after it; each in MMEngine's order."""

    before: list[Callable] = field(default_factory=list)
    within: list[WithinStepHook] = field(default_factory=list)
    after: list[Callable] = field(default_factory=list)

    @classmethod
    def of(cls, runner: Runner, recorded: bool) -> 'StepHooks':
        """Those of a runner.

        Args:
            runner: Whose hooks have done what they do before a training.
            recorded: Whether :class:`WithinStepHook` may act in the step: those do that no other
                hook comes before that they could have to wait for.
        """
        found, first = cls(), recorded
        for hook in runner.hooks:
            if acts(hook, *BEFORE):
                found.before.append(hook.before_train_iter)
            if not acts(hook, *AFTER):
                continue
            if first and within_step(hook):
                found.within.append(hook)
                found.after.append(_between_steps(hook))
            else:
                first = first and only_looks(hook)
                found.after.append(_after(hook))
        return found


def only_looks(hook: Hook) -> bool:
    """Whether it is known of a hook that it changes nothing that a step reads."""
    return type(hook) in _LOOKING or bool(vars(type(hook)).get(ONLY_LOOKS))


def within_step(hook: Hook) -> TypeGuard[WithinStepHook]:
    """Whether a hook does what :class:`WithinStepHook` does after a step, and no more."""
    return _code(hook, AFTER[0]) is WithinStepHook.after_train_iter


def acts(hook: Hook, *names: str) -> bool:
    """Whether a hook does anything in one of its methods; ``Hook`` itself does nothing.

    Args:
        hook: Whose methods may be an object's own.
        names: Of the methods: a moment has one, and those that MMEngine calls for several moments.
    """
    return any(_code(hook, name) is not getattr(Hook, name) for name in names)


def acts_in_step(hook: Hook) -> bool:
    """Whether a hook does anything before or after a step."""
    return acts(hook, *BEFORE) or acts(hook, *AFTER)


def _code(hook: Hook, name: str) -> Callable:
    """The function behind a method; an object's own one, too."""
    method = getattr(hook, name)
    return getattr(method, '__func__', method)


def _after(hook: Hook) -> Callable:
    if _code(hook, AFTER[0]) is RuntimeInfoHook.after_train_iter:  # without waiting for values
        return partial(LazyLossesHook.after_train_iter, hook)
    return hook.after_train_iter


def _between_steps(hook: WithinStepHook) -> Callable:
    def act(runner: Runner, **kwargs: object) -> None:
        hook.between_steps(runner)

    return act
