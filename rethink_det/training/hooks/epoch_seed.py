"""Randomness that depends on the seed and the epoch, not on what ran before."""

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner, set_random_seed

from rethink_det.registry import HOOKS
from rethink_det.training.generators import mixed


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed all generators anew at the start of every training epoch.

    A resumed run then draws what the unbroken run draws, without saving any generator's
    state. Augmentation inside worker processes is covered as long as workers are not
    persistent.
    """

    priority = 'VERY_HIGH'
    """Among the hooks of a run, in MMEngine's words."""

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed from the run's seed, the epoch and the rank."""
        set_random_seed(mixed(runner.seed or 0, runner.epoch, get_rank()))
