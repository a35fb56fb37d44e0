"""A trained classifier is pruned."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.layout import ARCHITECTURE, CONFIG, INHERITED
from rethink_det.pruning.checkpoint import initial_weights
from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import Spent
from rethink_det.study import ledger
from rethink_det.study.attempts import Attempts
from rethink_det.study.given_parents import described_config
from rethink_det.study.nodes import ClassifierPruning
from rethink_det.study.stages.stage import Stage, trainings_of
from rethink_det.study.stages.widths import (
    accounts_of_pruning,
    pruner_settings,
    shape_source,
    with_widths,
)
from rethink_det.study.trained_networks import trained_network
from rethink_det.training.written_config import write_config


@dataclass(frozen=True)
class PruneClassifier(Stage):
    """Pruning of the unpruned network, or in rounds of one that was pruned before.

    Attributes:
        trained: What is pruned.
        unpruned: The network before the first round, whose initial weights the lottery takes.
        widths: What has found the widths, if another did.
    """

    run: ClassifierPruning
    trained: RunResult
    unpruned: RunResult
    widths: RunResult | None = None

    def base_config(self) -> Config:
        """The config that the study names; without one, the network that the parent says it is."""
        if self.run.config:
            return super().base_config()
        return described_config(Checkpoint.read(self.trained.checkpoint_path))

    @property
    def settings(self) -> Mapping[str, Any]:
        """The method and its options."""
        return pruner_settings(self.run.pruner, self.run.widths)

    @property
    def sources(self) -> dict[str, str | None]:
        """Digests of what it builds on; of another's widths that of the shape alone."""
        return super().sources | shape_source(self.widths)

    def accounts(self, own: Spent) -> dict[str, Any]:
        """The weights took what the trained network did and the pruning, the shape perhaps less."""
        needed = ledger.whole(self.trained)
        return accounts_of_pruning(self.run.pruner, self.widths, needed, own)

    def do(self, config: Config, folder: Path) -> RunResult:
        """Prune and evaluate; the training images are for methods that look at data."""
        write_config(config, folder / CONFIG)
        network = trained_network(config, self.trained.checkpoint_path)
        pruner = with_widths(self.run.pruner, self.widths)
        pruned = network.prune(pruner)
        initial = initial_weights(self.unpruned.checkpoint_path)
        print(pruned.not_as_asked or '', end='\n' * bool(pruned.not_as_asked))
        digest = network.save_pruned(pruned, folder / INHERITED, self.run.pruner, initial)
        pruned.architecture.save(folder / ARCHITECTURE)
        attempt = Attempts()
        metrics = attempt('metrics', lambda: network.evaluate_pruned(folder / INHERITED))
        return self.result(
            metrics=metrics or {},
            **asdict(network.cost(pruned.architecture)),
            epochs=0,
            earlier_epochs=trainings_of(self.trained),
            spent=ledger.of_pruning(pruned.passes, network.cost().macs),
            checkpoint=INHERITED,
            digest=digest,
            architecture=ARCHITECTURE,
            unmeasured=attempt.unmeasured,
            not_as_asked=pruned.not_as_asked,
        )
