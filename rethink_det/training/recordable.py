"""What stands against recording the steps of a training."""

from mmengine.hooks import CheckpointHook, EMAHook, Hook, LoggerHook, ParamSchedulerHook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from rethink_det.training.bfloat16 import BFloat16OptimWrapper
from rethink_det.training.rates import ON_GPU
from rethink_det.training.step_hooks import ONLY_LOOKS, acts, acts_in_step, only_looks, within_step

_IN_PLACE = (CheckpointHook, EMAHook, LoggerHook, ParamSchedulerHook)
"""These change learning rates, or copies; or read weights, as they are after all hooks before."""

_ROOMS = ('mmengine.hooks.', 'rethink_det.')
"""Whose hooks change tensors in place, if at all, when they act between epochs."""

_BETWEEN_EPOCHS = (
    ('before_train_epoch', '_before_epoch'),
    ('after_train_epoch', '_after_epoch'),
    ('before_val_epoch', '_before_epoch'),
    ('after_val_epoch', '_after_epoch'),
    ('before_val',),
    ('after_val',),
)


def obstacle(runner: Runner) -> str | None:
    """Why the steps of a training cannot be recorded; None if they may be.

    Args:
        runner: Whose hooks have done what they do before a training.
    """
    if is_model_wrapper(runner.model):
        return 'the training is distributed'
    return _of_optimizer(runner) or _of_hooks(runner)


def to_be_forgotten(runner: Runner) -> bool:
    """Whether a hook acts between epochs of which it is not known whether it does so in place."""
    return any(
        not _known_between_epochs(hook) and any(acts(hook, *names) for names in _BETWEEN_EPOCHS)
        for hook in runner.hooks
    )


def _of_optimizer(runner: Runner) -> str | None:
    wrapper = runner.optim_wrapper
    kind = type(wrapper)
    if kind not in (OptimWrapper, BFloat16OptimWrapper):
        return f'{kind.__name__} reads numbers in each step; BFloat16OptimWrapper does not'
    optimizer = type(wrapper.optimizer)
    if optimizer not in ON_GPU:
        known = ', '.join(one.__name__ for one in ON_GPU)
        return f'the step of {optimizer.__name__} is not known to be recordable; known are {known}'
    if wrapper._accumulative_counts != 1:
        return 'optim_wrapper.accumulative_counts makes steps of two kinds'
    if wrapper.clip_grad_kwargs:
        return 'optim_wrapper.clip_grad reads the norm in each step'
    schedules = runner.param_schedulers or []
    listed = schedules if isinstance(schedules, list) else sum(schedules.values(), [])
    others = [one for one in listed if one.param_name != 'lr']
    if others:
        return f'{type(others[0]).__name__} changes {others[0].param_name} while it trains'
    return None


def _of_hooks(runner: Runner) -> str | None:
    for hook in runner.hooks:
        known = only_looks(hook) or type(hook) in _IN_PLACE or within_step(hook)
        if acts_in_step(hook) and not known:
            return (
                f'{type(hook).__name__} acts in each step, and may change what a recording keeps '
                f'(a hook that only looks says so: {ONLY_LOOKS} = True)'
            )
    return None


def _known_between_epochs(hook: Hook) -> bool:
    return only_looks(hook) or f'{type(hook).__module__}.'.startswith(_ROOMS)
