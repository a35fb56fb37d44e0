"""What all stages have in common: a config, a result, and the parents' results by name."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from mmengine.config import Config

from rethink_det.arms import CLASSIFICATION, DETECTION, Arm, Start
from rethink_det.report.run_result import DETECTOR_PRUNING, PRUNING, Plan, RunResult
from rethink_det.report.spent import Spent
from rethink_det.study import ledger
from rethink_det.study.nodes import Run
from rethink_det.training import Budget
from rethink_det.training.config import load_config

DETECTORS = (DETECTION, DETECTOR_PRUNING)
UNKNOWN = Spent()


@dataclass(frozen=True)
class Stage(ABC):
    """A run whose parents are done: what it trains by, and how it is done.

    A stage has a field for each parent, of the name that it has in the graph.

    Attributes:
        run: What the study plans.
        version: Of what it does; raised by hand when results change, and runs are done again.
        evaluates: Whether the network is evaluated, which is after the last epoch.
        looks_at_data: Whether the result follows from what the config's data sets hold.
    """

    run: Run
    version: ClassVar[int] = 1
    evaluates: ClassVar[bool] = False
    looks_at_data: ClassVar[bool] = True

    @property
    def parents(self) -> dict[str, RunResult]:
        """The results that it builds on, by name."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, RunResult)}

    @property
    def settings(self) -> Mapping[str, Any]:
        """What it is told besides its config, as plain values."""
        return {}

    @property
    def sources(self) -> dict[str, str | None]:
        """Digests of all that it builds on, by name."""
        return {name: parent.digest for name, parent in self.parents.items()}

    def config(self) -> Config:
        """The resolved config, but for the run's folder.

        Raises:
            UserError: The config cannot be read, or not be turned into that of the run.
        """
        config = self.adapted(self.base_config())
        config.randomness = {'seed': self.run.seed}
        config.experiment_name = self.run.key.replace('/', '_')
        if self.evaluates and self.run.config:
            Budget.of(config).apply(config)
        hooks = config.get('default_hooks') or {}
        checkpoint = {'type': 'CheckpointHook', **(hooks.get('checkpoint') or {})}
        # The last one is a fallback should a kill damage the newest.
        config.default_hooks = {**hooks, 'checkpoint': {**checkpoint, 'max_keep_ckpts': 2}}
        return config

    def base_config(self) -> Config:
        """The config that the study names; of a run without one, nothing."""
        return load_config(self.run.config, self.run.options) if self.run.config else Config({})

    def adapted(self, config: Config) -> Config:
        """The study's config, turned into that of the run; it may be changed in place.

        Unless a stage says more, that is its schedule over the epochs of the run.
        """
        if self.run.epochs:
            Budget.of(config).scaled(self.run.epochs).apply(config)
        return config

    def accounts(self, own: Spent) -> dict[str, Any]:
        """Fields of the result that tell what it took: :func:`~rethink_det.study.ledger.fields_of`.

        Args:
            own: What this run alone took.
        """
        return ledger.fields_of(own, self.needed)

    @property
    def needed(self) -> Spent:
        """What its parents took that it cannot do without."""
        return ledger.NOTHING

    @abstractmethod
    def do(self, config: Config, folder: Path) -> RunResult:
        """Do the run.

        Args:
            config: What :meth:`config` gives, and ``work_dir``.
            folder: Of the run, which is there.
        """

    def earlier_epochs(self, arm: Arm, parent: RunResult | None) -> tuple[float | None, ...]:
        """How long the weights that an arm starts from were trained before, at the same task."""
        inherits = arm.takes_weights and arm.start is not Start.INITIAL
        if parent is None or not inherits:
            return ()
        return trainings_of(parent) if _task(parent.stage) == _task(self.run.stage) else ()

    @staticmethod
    def weights_of(parent: RunResult) -> Path | None:
        """A parent's checkpoint; None where it is a shape alone."""
        return None if parent.checkpoint is None else parent.checkpoint_path

    def result(self, spent: Spent = UNKNOWN, **known: Any) -> RunResult:
        """The result of a finished run, with what the study knew beforehand.

        Args:
            spent: What this run alone took, but for the time of its devices.
            known: Other fields of it.
        """
        run = self.run
        return RunResult(
            **self.accounts(spent),
            stage=run.stage,
            arm=run.arm,
            seed=run.seed,
            model=run.model,
            key=run.key,
            reference=run.reference,
            plan=Plan(run.config, run.options, self.settings),
            **known,
        )


def _task(stage: str) -> str:
    """What a run of a stage is about: pruning is of what it prunes."""
    if stage in DETECTORS:
        return DETECTION
    return CLASSIFICATION if stage == PRUNING else stage


def trainings_of(run: RunResult) -> tuple[float | None, ...]:
    """Epochs of all trainings that the weights of a run went through; None for unknown ones."""
    earlier = run.earlier_epochs
    if earlier is None:  # a run of an older release
        earlier = (None,) if run.stage in (PRUNING, DETECTOR_PRUNING) else ()
    return (*earlier, *([run.epochs] if run.epochs else []))
