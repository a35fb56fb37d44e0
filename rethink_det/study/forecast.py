"""What a run is going to take: multiply-adds of training, and time.

Finished runs tell it, if there are any like it. Of a classifier there need not be: its training
follows from the config, but for how small pruning makes the network, so that it is at most as much
as that of the unpruned shape. Nothing is downloaded or rendered for it: without data on the disk
it is not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from mmengine.config import Config

from rethink_det.arms import ARMS, CLASSIFICATION
from rethink_det.classification.arm_config import arm_budget, classifier_architecture
from rethink_det.report.pace import Kind, Pace
from rethink_det.report.run_result import RunResult
from rethink_det.study import ledger
from rethink_det.study.nodes import ClassifierTraining, GivenClassifier, Run
from rethink_det.training import Budget
from rethink_det.training.budget import Base
from rethink_det.training.config import load_config

EXACTLY = len(Kind._fields)
"""Of how much two runs must have in common to take as long."""


@dataclass(frozen=True)
class Forecast:
    """What a run is going to take.

    Attributes:
        macs: Of training; None if that is not known.
        bound: Whether that is the most that it can be, as pruning is yet to come.
        seconds: By the clock on the wall; None if nothing tells.
    """

    macs: float | None = None
    bound: bool = False
    seconds: float | None = None


class Forecaster:
    """Knows what runs of a study are going to take.

    Args:
        done: Its finished runs.
    """

    def __init__(self, done: Iterable[RunResult]) -> None:
        self._done = list(done)
        self._pace = Pace(self._done)
        self._known: dict[Kind, Forecast] = {}
        self._bases: dict[str, tuple[Config, float | None]] = {}

    def of(self, run: Run) -> Forecast:
        """What a run is going to take that is not done; the same for every seed."""
        kind = Kind(run.stage, run.model, run.arm)
        if kind not in self._known:
            self._known[kind] = self._of(run, kind)
        return self._known[kind]

    def _of(self, run: Run, kind: Kind) -> Forecast:
        alike = [one.train_macs for one in self._done if _kind(one) == kind]
        known = [macs for macs in alike if macs is not None]
        macs = fmean(known) if known else self._planned(run)
        seconds = self._pace.seconds(kind, least=EXACTLY)
        if seconds is None and macs is not None and (rate := self._rate(run.stage)):
            seconds = macs * rate
        if seconds is None:
            seconds = self._pace.seconds(kind)
        bound = not known and isinstance(run, ClassifierTraining) and run.pruned is not None
        return Forecast(macs, bound, seconds)

    def _rate(self, stage: str) -> float | None:
        """Seconds that a multiply-add of training took, in the runs of a stage."""
        timed = [one for one in self._done if one.stage == stage and one.wall_s]
        macs = sum(one.train_macs or 0.0 for one in timed)
        return sum(one.wall_s or 0.0 for one in timed if one.train_macs) / macs if macs else None

    def _planned(self, run: Run) -> float | None:
        """Multiply-adds of a training that no other tells of, at most."""
        if isinstance(run, GivenClassifier):
            return 0.0
        if not isinstance(run, ClassifierTraining):
            return None
        config, per_epoch = self._base(run)
        if per_epoch is None:
            return None
        trainings = 1 + (len(run.settings.tune_lr) if run.pruned else 0)
        return per_epoch * epochs_of(run, config) * trainings

    def _base(self, run: ClassifierTraining) -> tuple[Config, float | None]:
        """The config that a run follows from, and multiply-adds of an epoch of its network."""
        name = f'{run.config} {run.options!r}'
        if name not in self._bases:
            config = load_config(run.config, run.options)
            self._bases[name] = config, of_an_epoch(config)
        return self._bases[name]


def _kind(run: RunResult) -> Kind:
    return Kind(run.stage, run.model, run.arm)


def epochs_of(run: ClassifierTraining, config: Config) -> float:
    """Epochs of a training, if pruning left the network as it was.

    Args:
        run: The training.
        config: That it follows from.
    """
    base = Base(Budget.of(config), run.epochs, 1, 1)
    if run.pruned is None:
        return base.length
    return arm_budget(ARMS.get(CLASSIFICATION, run.arm), run.settings, base, None).epochs


def of_an_epoch(config: Config) -> float | None:
    """Multiply-adds of an epoch of a classifier's training; None without its data on the disk."""
    dataset = (config.get('train_dataloader') or {}).get('dataset')
    root = (dataset or {}).get('data_root')
    if not dataset or 'model' not in config or (root is not None and not Path(root).is_dir()):
        return None
    try:
        return ledger.of_an_epoch(config, classifier_architecture(config).cost().macs)
    except (OSError, ValueError):  # the data are not there after all, or not all of them
        return None
