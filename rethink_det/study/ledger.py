"""The ledger of a study: what a result took, in multiply-adds and in the time of devices.

A training step costs about three forward passes: one forward, two backward; so does a pruner's
look at an image with a gradient. Whoever inherits weights owes all that led to them. Whoever takes
a shape alone owes what it took to know the shape: nothing, if its ratios were given beforehand, and
all, if weights told it. Of detectors it is the whole network that counts. What a pruner computes
besides its passes (sorting, solving equations) is in the hours alone. None stands for what cannot
be known: that of a given network whose epochs nobody told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mmengine.config import Config

from rethink_det.arms import Arm
from rethink_det.pruning import Pruner
from rethink_det.pruning.passes import Passes
from rethink_det.registered import build, scope_of
from rethink_det.registry import DATASETS
from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import NOTHING, Spent

PASSES = 3
"""Forward passes that a training step costs."""

OLDER = 'pruning, evaluation and hours of runs of an older release'
ELSEWHERE = 'hours and evaluations of the given parent, elsewhere'
UNKNOWN_PARENT = 'the training of the given parent, whose epochs are unknown (parent_epochs= tells)'
BACKBONE_ALONE = 'neck and heads of detectors trained by an older release'
MADE_ELSEWHERE = replace(
    NOTHING, training=None, pruning=None, not_counted=('all that led to the given pruned network',)
)


def training_images(config: Config) -> int:
    """How many images a config trains on."""
    return _images(config, 'train')


def _images(config: Config, split: str) -> int:
    with scope_of(config):
        return len(build(DATASETS, config[f'{split}_dataloader'].dataset))  # cached since the run


def of_training(config: Config, macs: int) -> int:
    """What a training of a config takes, whose network has so many MACs a pass."""
    return of_an_epoch(config, macs) * config.train_cfg.max_epochs


def of_an_epoch(config: Config, macs: int) -> int:
    """What one pass over the config's training images takes."""
    return PASSES * macs * training_images(config)


def of_trainings(configs: Iterable[Config], macs: int) -> int:
    """What several trainings of that network take together."""
    return sum(of_training(config, macs) for config in configs)


def of_pruning(passes: Passes, macs: int | None) -> Spent:
    """What a run took that pruned: looks at images.

    Args:
        passes: Of the pruner.
        macs: Of a forward pass of the network before; a part of a pass is counted as a whole.
            None if that is unknown.
    """
    looks = passes.as_forward
    return replace(NOTHING, pruning=None if looks and macs is None else looks * (macs or 0))


def of_evaluations(configs: Iterable[Config], macs: int) -> int:
    """What the evaluations during several trainings of a network take together."""
    return sum(evaluations(one) * of_test(one, macs, 'val') for one in configs if evaluations(one))


def of_test(config: Config, macs: int, split: str = 'test') -> int:
    """What one evaluation on the config's test images takes, or on those of ``'val'``."""
    return macs * _images(config, split)


def evaluations(config: Config) -> int:
    """How often a training evaluates its network, the last epoch included."""
    if config.get('val_dataloader') is None or config.get('val_evaluator') is None:
        return 0
    loop = config.train_cfg
    last, every, begin = loop.max_epochs, loop.get('val_interval', 1), loop.get('val_begin', 1)
    return sum(e == last or (e >= begin and e % every == 0) for e in range(1, last + 1))


def owed(arm: Arm, parent: RunResult | None) -> Spent:
    """What an arm cannot do without, of a parent that gives it weights or a shape."""
    if parent is None:
        return NOTHING
    return whole(parent) if arm.takes_weights else _of_its_shape(parent)


def whole(run: RunResult) -> Spent:
    """What a run took with all that it cannot do without."""
    return _told(run, run.total_spent, run.total_train_macs)


def _of_its_shape(run: RunResult) -> Spent:
    return _told(run, run.shape_spent, run.shape_train_macs)


def _told(run: RunResult, spent: Spent | None, training: float | None) -> Spent:
    """What a run says; of one of an older release its training alone is known."""
    if run.counts_backbone_alone:
        return Spent(not_counted=(BACKBONE_ALONE, OLDER))
    if spent is not None:
        return spent
    return NOTHING if training == 0 else Spent(training, not_counted=(OLDER,))


def of_shape(pruner: Pruner, pruned: Spent) -> Spent:
    """What it took to know the shape that a pruner gives a trained network.

    Args:
        pruner: The method.
        pruned: What the pruned network took in all.
    """
    return pruned if pruner.widths_follow_from is None else NOTHING


def of_given(training: float | None, epochs: float | None) -> Spent:
    """What a given network took before a study took it.

    Args:
        training: MACs.
        epochs: That it was trained for; None if nobody told.
    """
    lost = (ELSEWHERE,) if epochs is not None else (UNKNOWN_PARENT, ELSEWHERE)
    return replace(NOTHING, training=training, not_counted=lost)


def fields_of(own: Spent, needed: Spent, shape: Spent | None = None) -> dict[str, Any]:
    """Fields of a result that tell what it took.

    Args:
        own: The run alone.
        needed: All that it cannot do without.
        shape: Of pruning, see :func:`of_shape`.
    """
    all_of_it = own + needed
    known = {'spent': own, 'train_macs': own.training}
    known |= {'total_spent': all_of_it, 'total_train_macs': all_of_it.training}
    if shape is not None:
        known |= {'shape_spent': shape, 'shape_train_macs': shape.training}
    return known


def timed(run: RunResult, device_s: Mapping[str, float], complete: bool) -> RunResult:
    """A run that was just done, with the time of its devices in all that it took.

    Args:
        run: What it came to.
        device_s: Of :class:`~rethink_det.report.spent.Spent`.
        complete: Whether these are all attempts of the run.
    """
    time = replace(NOTHING, device_s=device_s, not_counted=() if complete else (LOST,))
    took: dict[str, Spent | None] = {'spent': run.spent, 'total_spent': run.total_spent}
    if run.shape_spent != NOTHING:  # this run had a part in finding it
        took['shape_spent'] = run.shape_spent
    told: dict[str, Any] = {name: spent + time for name, spent in took.items() if spent}
    return replace(run, **told)


LOST = 'hours of attempts that an older release began'
