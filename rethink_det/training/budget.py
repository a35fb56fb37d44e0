"""Budgets: how long an arm trains, and when its learning rate drops.

Source: Rethinking the Value of Network Pruning (arXiv 1810.05270), section 3, "Training
budget": Scratch-E trains the pruned network for the epochs of the big one, Scratch-B for
the same compute, that is the epochs times the ratio of the two networks' FLOPs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmengine.config import Config

from rethink_det.bounds import check_count, check_number
from rethink_det.errors import UserError


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

    def stretched(self, full_macs: int, pruned_macs: int, cap: float | None = None) -> 'Budget':
        """The Scratch-B budget: same compute for the pruned network.

        Epochs are ``int(epochs * full / pruned)``, every milestone and step keeps its share
        of the whole, truncated: 160 epochs with drops at 80 and 120 become, at a ratio of
        1.11565, 178 with drops at 89 and 133.

        Args:
            full_macs: MACs of the unpruned network.
            pruned_macs: MACs of the pruned one, counted alike.
            cap: Largest ratio used; the paper caps it at 2 on ImageNet.

        Raises:
            UserError: For a ratio below 1 or a cap below 1.
        """
        if not 0 < pruned_macs <= full_macs:
            raise UserError(
                f'The pruned network has {pruned_macs} MACs, the full one {full_macs}: nothing '
                'was saved that could be spent on more epochs.'
            )
        if cap is not None and check_number('The cap on the ratio', cap) < 1:
            raise UserError(f'The cap on the ratio must be at least 1, got {cap}.')
        # Integers until the cap: a float ratio can lose an epoch to rounding.
        epochs = self.epochs * full_macs // pruned_macs
        if cap is not None:
            epochs = min(epochs, int(self.epochs * cap))
        return self.scaled(epochs)

    def scaled(self, epochs: int) -> 'Budget':
        """The same schedule over another number of epochs.

        Warm-up that counts iterations stays as it is.

        Raises:
            UserError: ``epochs`` is no whole number, or below 1.
        """
        check_count('The epochs of a budget', epochs)
        return Budget(epochs, tuple(self._scale(s, epochs) for s in self.schedulers))

    def _scale(self, scheduler: Mapping, epochs: int) -> dict:
        scheduler = dict(scheduler)
        if scheduler.get('by_epoch', True) is False:
            return scheduler
        for key in ('milestones', 'step_size', 'T_max', 'begin', 'end', 'total_iters'):
            value = scheduler.get(key)
            if isinstance(value, Sequence):
                scheduler[key] = [epochs * milestone // self.epochs for milestone in value]
            elif isinstance(value, int) and not isinstance(value, bool):
                scheduler[key] = epochs * value // self.epochs
        return scheduler

    def apply(self, config: Config) -> None:
        """Write this budget into a config, in place; evaluation comes after the last epoch."""
        config.train_cfg.update(max_epochs=self.epochs, val_interval=self.epochs)
        config.param_scheduler = [dict(s) for s in self.schedulers]


def constant(epochs: int) -> Budget:
    """A fine-tuning budget: the learning rate never drops.

    Raises:
        UserError: ``epochs`` is no whole number, or below 1.
    """
    return Budget(check_count('The epochs of fine-tuning', epochs), ())
