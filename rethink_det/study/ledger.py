"""The ledger of a study: the training compute that a result took, in multiply-adds.

A training step costs about three forward passes: one forward, two backward. Whoever inherits
weights owes all that led to them. Whoever takes a shape alone owes what it took to know the
shape: nothing, if its ratios were given beforehand, and all, if weights told it. What a pruner
itself computes is not counted. None stands for what cannot be known: that of a given network
whose epochs nobody told.
"""

from collections.abc import Iterable

from mmengine.config import Config

from rethink_det.arms import Arm
from rethink_det.pruning import PredefinedPruner, Pruner
from rethink_det.registered import build, scope_of
from rethink_det.registry import DATASETS
from rethink_det.report.run_result import RunResult

PASSES = 3
"""Forward passes that a training step costs."""


def training_images(config: Config) -> int:
    """How many images a config trains on."""
    with scope_of(config):
        return len(build(DATASETS, config.train_dataloader.dataset))  # cached since the run


def of_training(config: Config, macs: int) -> int:
    """What a training of a config takes, whose network has so many MACs a pass."""
    return of_an_epoch(config, macs) * config.train_cfg.max_epochs


def of_an_epoch(config: Config, macs: int) -> int:
    """What one pass over the config's training images takes."""
    return PASSES * macs * training_images(config)


def of_trainings(configs: Iterable[Config], macs: int) -> int:
    """What several trainings of that network take together."""
    return sum(of_training(config, macs) for config in configs)


def owed(arm: Arm, parent: RunResult | None) -> float | None:
    """What an arm cannot do without, of a parent that gives it weights or a shape."""
    if parent is None:
        return 0
    return parent.total_train_macs if arm.takes_weights else parent.shape_train_macs


def of_shape(pruner: Pruner, trained: RunResult) -> float | None:
    """What it took to know the shape that a pruner gives a trained network."""
    predefined = isinstance(pruner, PredefinedPruner)  # its target is known without any weights
    return 0 if predefined else trained.total_train_macs


def total(*parts: float | None) -> float | None:
    """The sum; None if a part is unknown."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
