"""Budgets: how long an arm trains, and when its learning rate drops.

Source: Rethinking the Value of Network Pruning (arXiv 1810.05270), section 3, "Training
budget": Scratch-E trains the pruned network for the epochs of the big one, Scratch-B for
the same compute, that is the epochs times the ratio of the two networks' FLOPs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mmengine.config import Config

from rethink_det.arms import ARMS
from rethink_det.bounds import check_count, check_number
from rethink_det.errors import UserError
from rethink_det.moved import renamed_arguments

NEAREST, FLOOR = ROUNDINGS = ('nearest', 'floor')
"""How epochs and milestones become whole numbers; halves go up."""


def share(count: int, part: int, whole: int, rounding: str = NEAREST) -> int:
    """``count * part / whole`` as a whole number, in integers.

    Raises:
        UserError: An unknown rounding.
    """
    if rounding not in ROUNDINGS:
        raise UserError(f'rounding must be one of {", ".join(ROUNDINGS)}, got {rounding!r}.')
    return (2 * count * part + (whole if rounding == NEAREST else 0)) // (2 * whole)


@dataclass(frozen=True)
class Budget:
    """Epochs and the schedulers that belong to them.

    Attributes:
        epochs: Number of passes over the training data.
        schedulers: MMEngine ``param_scheduler`` configs, milestones in epochs.
    """

    epochs: int
    schedulers: tuple[Mapping, ...]

    @classmethod
    def of(cls, config: Mapping) -> 'Budget':
        """The budget a config trains by.

        Raises:
            UserError: The config does not train by epochs, or its schedule is none.
        """
        loop = config.get('train_cfg') or {}
        if loop.get('max_epochs') is None:
            raise UserError(
                'Budgets count epochs: the config needs train_cfg=dict(by_epoch=True, '
                'max_epochs=...).'
            )
        epochs = check_count('train_cfg.max_epochs', loop['max_epochs'])
        schedulers = config.get('param_scheduler') or ()
        if isinstance(schedulers, Mapping):
            schedulers = (schedulers,)
        if isinstance(schedulers, str) or not all(isinstance(s, Mapping) for s in schedulers):
            raise UserError(f'param_scheduler must be a list of dicts, got {schedulers!r}.')
        return cls(epochs, tuple(dict(s) for s in schedulers))

    @renamed_arguments(full_macs='full_flops', pruned_macs='pruned_flops')
    def stretched(
        self,
        full_flops: int,
        pruned_flops: int,
        cap: float | None = None,
        rounding: str = NEAREST,
        epochs: int | None = None,
    ) -> 'Budget':
        """The Scratch-B budget: same compute for the pruned network.

        Epochs are those of the base times ``full / pruned``, and every milestone and step keeps
        its share of the whole, each rounded once. The published networks were trained with both
        truncated: 160 epochs with drops at 80 and 120 become, at a ratio of 1.11565, 178 with
        drops at 89 and 133.

        Args:
            full_flops: FLOPs of the unpruned network, or its MACs.
            pruned_flops: Those of the pruned one, counted alike.
            cap: Largest ratio used; the paper caps it at 2 on ImageNet.
            rounding: One of :data:`ROUNDINGS`.
            epochs: Of the base, if this schedule is compressed or stretched for it already.

        Raises:
            UserError: For a ratio below 1 or a cap below 1.
        """
        if not 0 < pruned_flops <= full_flops:
            raise UserError(
                f'The pruned network has {pruned_flops} FLOPs, the full one {full_flops}: nothing '
                'was saved that could be spent on more epochs.'
            )
        if cap is not None and check_number('The cap on the ratio', cap) < 1:
            raise UserError(f'The cap on the ratio must be at least 1, got {cap}.')
        base = self.epochs if epochs is None else epochs
        # Integers until the cap: a float ratio can lose an epoch to rounding.
        longer = share(base, full_flops, pruned_flops, rounding)
        if cap is not None:
            longer = min(longer, int(base * cap + (rounding == NEAREST) / 2))
        return self.scaled(longer, rounding)

    def scaled(self, epochs: int, rounding: str = NEAREST) -> 'Budget':
        """The same schedule over another number of epochs.

        Warm-up that counts iterations stays as it is.

        Args:
            epochs: How many.
            rounding: Of milestones and steps, one of :data:`ROUNDINGS`.

        Raises:
            UserError: ``epochs`` is no whole number, or below 1.
        """
        check_count('The epochs of a budget', epochs)
        schedulers = (self._scale(one, epochs, rounding) for one in self.schedulers)
        return Budget(epochs, tuple(schedulers))

    def _scale(self, scheduler: Mapping, epochs: int, rounding: str) -> dict:
        scheduler = dict(scheduler)
        if scheduler.get('by_epoch', True) is False:
            return scheduler
        for key in ('milestones', 'step_size', 'T_max', 'begin', 'end', 'total_iters'):
            value = scheduler.get(key)
            if isinstance(value, Sequence):
                scheduler[key] = [self._milestone(m, epochs, rounding) for m in value]
            elif isinstance(value, int) and not isinstance(value, bool):
                least = 1 if value and key in ('step_size', 'T_max', 'total_iters') else 0
                scheduler[key] = max(least, share(epochs, value, self.epochs, rounding))
        return scheduler

    def _milestone(self, old: int, epochs: int, rounding: str) -> int:
        """A milestone of another number of epochs; rounded to nearest, none is lost at an end."""
        new = share(epochs, old, self.epochs, rounding)
        if rounding == FLOOR or not 0 < old < self.epochs:
            return new
        return min(max(1, new), max(1, epochs - 1))

    def apply(self, config: Config) -> None:
        """Write this budget into a config, in place; evaluation comes after the last epoch."""
        config.train_cfg.update(max_epochs=self.epochs, val_interval=self.epochs)
        config.param_scheduler = [dict(s) for s in self.schedulers]


class Base(NamedTuple):
    """What the budgets of all arms follow from.

    Attributes:
        schedule: The budget of the config.
        epochs: That the unpruned network trains for by it; None for its own.
        full_flops: FLOPs of the unpruned network, or its MACs.
        pruned_flops: Those of the pruned one, counted alike.
    """

    schedule: Budget
    epochs: int | None
    full_flops: int
    pruned_flops: int

    @property
    def length(self) -> int:
        """Epochs of the unpruned network."""
        return self.schedule.epochs if self.epochs is None else self.epochs

    def base(self) -> Budget:
        """The unpruned network's budget."""
        return self.schedule if self.epochs is None else self.schedule.scaled(self.epochs)

    def stretched(self, cap: float | None = None, rounding: str = NEAREST) -> Budget:
        """The same compute for the pruned network, see :meth:`Budget.stretched`."""
        return self.schedule.stretched(
            self.full_flops, self.pruned_flops, cap, rounding, epochs=self.epochs
        )

    def total(self, full_epochs: float, pruned_epochs: float) -> Budget:
        """The compute of a training of the unpruned network and one of the pruned together."""
        epochs = full_epochs * self.full_flops / self.pruned_flops + pruned_epochs
        return self.schedule.scaled(max(1, round(epochs)))


def constant(epochs: int) -> Budget:
    """A fine-tuning budget: the learning rate never drops.

    Raises:
        UserError: ``epochs`` is no whole number, or below 1.
    """
    return Budget(check_count('The epochs of fine-tuning', epochs), ())


def check_own_budget(stage: str, epochs: Any, schedule: Any) -> None:
    """Refuse what is no budget for one arm to have of its own.

    Args:
        stage: Of the arm.
        epochs: A number of epochs, or None.
        schedule: Times the epochs of the arm's rule, or the name of an arm of the stage, or None.

    Raises:
        UserError: It is none of these, or both are given.
    """
    if epochs is not None and schedule is not None:
        raise UserError(
            f'Either epochs={epochs!r} or schedule={schedule!r}: leave one of them out.'
        )
    if epochs is not None:
        check_count('The epochs of an arm', epochs)
    if isinstance(schedule, str):
        ARMS.get(stage, schedule)
    elif schedule is not None:
        check_number('schedule: times the epochs of the arm', schedule, least=LEAST_SCHEDULE)


LEAST_SCHEDULE = 0.001
"""Nobody trains for less than a thousandth of a schedule."""


def own_epochs(by_rule: int, epochs: int | None, schedule: float | str | None) -> int | None:
    """The epochs that an arm has of its own; None if it has none, and its rule gives them.

    Args:
        by_rule: What its rule gives.
        epochs: So many instead.
        schedule: Or so many times that.
    """
    if isinstance(schedule, int | float):
        return max(1, round(by_rule * schedule))
    return epochs
