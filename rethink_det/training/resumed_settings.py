"""What a resumed run takes from its checkpoint, and what from the config, where the two differ.

MMEngine restores the optimizer and the schedule as they were: another learning rate or other
milestones in the config change nothing. Epochs and data are the config's.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from rethink_det.architecture.state_dicts import META
from rethink_det.errors import UserError
from rethink_det.files import plain

_PROGRESS = ('last_step', '_global_step', '_step_count', '_last_value', 'base_values', 'verbose')
"""Of a schedule's state, what says how far it is, not what it is."""


class ResumedSettingsHook(Hook):
    """Says on resume what is taken from where, and refuses a run that has come to its end."""

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the checkpoint with what the config has built.

        Raises:
            UserError: It was trained for more epochs than the config asks for.
        """
        _check_epochs(runner, checkpoint)
        restored = [*_of_optimizer(runner, checkpoint), *_of_schedule(runner, checkpoint)]
        if restored:
            runner.logger.warning(
                f'Resumed: {"; ".join(restored)}. The optimizer and the schedule are restored from '
                'the checkpoint, whatever the config says; to train on with others, start from '
                'the checkpoint by load_from instead.'
            )
        changed = [*_of_length(runner, checkpoint)]
        if changed:
            runner.logger.warning(
                f'Resumed: {"; ".join(changed)}. These are taken from the config.'
            )


def _check_epochs(runner: Runner, checkpoint: Mapping) -> None:
    done, wanted = checkpoint[META].get('epoch'), runner.max_epochs
    if isinstance(done, int) and wanted and done > wanted:
        raise UserError(
            f'{runner.cfg.get("load_from")} has done {done} epochs, and train_cfg.max_epochs is '
            f'{wanted}: there is nothing to resume. Ask for more epochs, or evaluate it by '
            'rethink-det test.'
        )


def _of_optimizer(runner: Runner, checkpoint: Mapping) -> Iterator[str]:
    """Settings of the first group of parameters that differ: the learning rate, above all."""
    groups = (checkpoint.get('optimizer') or {}).get('param_groups')
    if not groups or not isinstance(runner.optim_wrapper, OptimWrapper):
        return
    own = runner.optim_wrapper.param_groups
    if len(own) != len(groups):
        yield f'{len(groups)} groups of parameters in the checkpoint, {len(own)} in the config'
        return
    now = 'initial_lr' if 'initial_lr' in groups[0] and 'initial_lr' in own[0] else 'lr'
    for key in [now, *(key for key in own[0] if key not in ('params', 'lr', 'initial_lr'))]:
        said = next(
            ((a[key], b[key]) for a, b in zip(groups, own, strict=True) if _differ(a, b, key)), None
        )
        if said:
            name = 'learning rate' if key == now else key
            yield f'{name} {said[0]} from the checkpoint, not {said[1]} of the config'


def _of_schedule(runner: Runner, checkpoint: Mapping) -> Iterator[str]:
    """Settings of the schedule that differ."""
    own, saved = runner.param_schedulers, checkpoint.get('param_schedulers')
    if not isinstance(own, list) or not isinstance(saved, list):
        return
    if len(own) != len(saved):
        yield f'{len(saved)} schedulers in the checkpoint, {len(own)} in the config'
    for scheduler, old in zip(own, saved, strict=False):
        new = scheduler.state_dict()
        for key in new:
            if key not in _PROGRESS and _differ(old, new, key):
                yield (
                    f'{type(scheduler).__name__}: {key} {_shown(old[key])} from the checkpoint, '
                    f'not {_shown(new[key])} of the config'
                )


def _of_length(runner: Runner, checkpoint: Mapping) -> Iterator[str]:
    """How long the training is, and an epoch of it."""
    info = (checkpoint.get('message_hub') or {}).get('runtime_info') or {}
    epochs, steps = info.get('max_epochs'), info.get('max_iters')
    if not isinstance(epochs, int) or not isinstance(steps, int) or epochs < 1:
        return
    if epochs != runner.max_epochs:
        yield f'max_epochs is {runner.max_epochs}, and was {epochs}'
    had, has = steps // epochs, runner.max_iters // max(runner.max_epochs, 1)
    if had != has:
        yield (
            f'an epoch has {has} iterations, and had {had}: another batch size or other data, so '
            'that iterations are counted on from the old ones'
        )


def _differ(saved: Mapping, own: Mapping, key: str) -> bool:
    return key in saved and key in own and plain(saved[key]) != plain(own[key])


def _shown(value: Any) -> Any:
    """Milestones without how often each is there."""
    return sorted(value) if isinstance(value, Mapping) else value
