"""An arm trains a classifier."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.arms import ARMS, CLASSIFICATION, Arm, BudgetRule
from rethink_det.classification.arm_config import (
    arm_config,
    budget_rule,
    classifier_architecture,
)
from rethink_det.errors import UserError
from rethink_det.layout import ARCHITECTURE, CONFIG
from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import Spent, total
from rethink_det.study import ledger
from rethink_det.study.attempts import Attempts
from rethink_det.study.kept_replicates import kept_replicates
from rethink_det.study.nodes import ClassifierTraining
from rethink_det.study.stages.stage import Stage
from rethink_det.study.stages.training import train_on
from rethink_det.study.training_facts import training_facts
from rethink_det.study.tuning import best_of, trial_config, try_rates
from rethink_det.training.config import name_arm
from rethink_det.training.together import why_alone
from rethink_det.training.written_config import write_config


@dataclass(frozen=True)
class TrainClassifier(Stage):
    """Training of the unpruned network, or of a pruned one by an arm.

    Attributes:
        pruned: What pruning left; None for the unpruned network.
    """

    run: ClassifierTraining
    pruned: RunResult | None = None
    version = 2  # 2: seeds do not share the orders of their images
    evaluates = True

    @property
    def arm(self) -> Arm:
        """The arm that it trains."""
        return ARMS.get(CLASSIFICATION, self.run.arm)

    def adapted(self, config: Config) -> Config:
        """The config of the arm."""
        pruned, epochs = self.pruned, self.run.epochs
        files: tuple[Path | None, Path | None] = (None, None)
        if pruned is not None:
            files = pruned.architecture_path, self.weights_of(pruned)
        settings = self.run.settings
        config = arm_config(config, self.arm, settings, *files, epochs, self._owed(config))
        return self._computed(config)

    def _computed(self, config: Config) -> Config:
        """Together with others if the study says so and nothing stands against it."""
        if self.run.together:
            reason = why_alone(config)
            if reason is None:
                config.train_cfg.together = True
            else:
                print(f'Computed alone, not together with other runs: {reason}.')
        return config

    def _owed(self, config: Config) -> float | None:
        """What the inherited weights took in epochs of the pruned network, if the arm asks."""
        pruned = self.pruned
        if pruned is None or budget_rule(self.arm, self.run.settings) is not BudgetRule.TOTAL:
            return None
        searched = pruned.total_spent.pruning if pruned.total_spent else None
        took = total(pruned.total_train_macs, searched)
        if took is None or pruned.macs is None:
            raise UserError(
                f'Arm {self.arm.name} trains with the compute of its parent and of pruning, which '
                'is not known: set study.classification.parent_epochs; what an older version of '
                'this package pruned is pruned anew in another --work-dir.'
            )
        return took / ledger.of_an_epoch(config, round(pruned.macs))

    @property
    def rates(self) -> Sequence[float]:
        """The learning rates that are tried first; those of the parent's training are its own."""
        return self.run.settings.tune_lr if self.arm.pruned else ()

    @property
    def settings(self) -> Mapping[str, Any]:
        """These rates, if there are any."""
        return {'tune_lr': list(self.rates)} if self.rates else {}

    @property
    def needed(self) -> Spent:
        """What the arm owes to its parent."""
        return ledger.owed(self.arm, self.pruned)

    def do(self, config: Config, folder: Path) -> RunResult:
        """Train; the parent's weights come in by a hook."""
        architecture = classifier_architecture(config)
        name_arm(config, self.run.arm)
        cost = architecture.cost()  # here it may still fail
        trained = [config, *(trial_config(config, lr) for lr in self.rates)]
        trials = try_rates(config, self.rates, folder)
        if trials:
            config.optim_wrapper.optimizer.lr = best_of(trials)
        write_config(config, folder / CONFIG)
        metrics, checkpoint = train_on(config, folder)
        saved = Checkpoint.read(checkpoint)
        architecture.save(folder / ARCHITECTURE)
        attempt = Attempts()
        own = attempt('train_macs', lambda: ledger.of_trainings(trained, cost.macs))
        tests = attempt('evaluation', lambda: ledger.of_evaluations(trained, cost.macs))
        return self.result(
            metrics=metrics,
            **kept_replicates(folder, attempt),
            **asdict(cost),
            epochs=config.train_cfg.max_epochs,
            training=training_facts(config, self.run, trials),
            earlier_epochs=self.earlier_epochs(self.arm, self.pruned),
            spent=Spent(own, pruning=0, evaluation=tests, device_s={}),
            checkpoint=checkpoint.name,
            digest=digest(saved.state_dict),
            architecture=ARCHITECTURE,
            unmeasured=attempt.unmeasured,
        )
