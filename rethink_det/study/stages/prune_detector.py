"""The backbone of a trained detector is pruned."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.arms import ARMS, DETECTION, Start
from rethink_det.detection.datasets.data_root import detector_base
from rethink_det.detection.measuring.cost import detector_cost
from rethink_det.layout import ARCHITECTURE, CONFIG, PRUNED
from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import Spent
from rethink_det.study import ledger
from rethink_det.study.attempts import Attempts
from rethink_det.study.detector_measurements import fields_of
from rethink_det.study.nodes import DetectorPruning
from rethink_det.study.stages.detector_config import detector_config
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
class PruneDetector(Stage):
    """Pruning of a detector that was trained with the whole backbone.

    Attributes:
        trained: The detector.
        classifier: Where its backbone came from.
        widths: What has found the widths, if another did.
    """

    run: DetectorPruning
    trained: RunResult
    classifier: RunResult
    widths: RunResult | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        """The method and its options."""
        return pruner_settings(self.run.pruner, self.run.widths)

    @property
    def sources(self) -> dict[str, str | None]:
        """Digests of what it builds on; of another's widths that of the shape alone."""
        return super().sources | shape_source(self.widths)

    def base_config(self) -> Config:
        """The config that the study names, on the data of its folder."""
        return detector_base(self.run.config, self.run.options, self.run.data_root)

    def adapted(self, config: Config) -> Config:
        """The config that the detector was trained by."""
        weights = self.classifier.checkpoint_path
        return detector_config(config, ARMS.reference(DETECTION), weights, weights)

    def accounts(self, own: Spent) -> dict[str, Any]:
        """What the detector took and the pruning; the shape perhaps less."""
        needed = ledger.whole(self.trained)
        return accounts_of_pruning(self.run.pruner, self.widths, needed, own)

    def do(self, config: Config, folder: Path) -> RunResult:
        """Prune and evaluate; the training images are for methods that look at data."""
        write_config(config, folder / CONFIG)
        network = trained_network(config, self.trained.checkpoint_path)
        pruned = network.prune(with_widths(self.run.pruner, self.widths))
        print(pruned.not_as_asked or '', end='\n' * bool(pruned.not_as_asked))
        digest = network.save_pruned(pruned, folder / PRUNED, self.run.pruner)
        pruned.architecture.save(folder / ARCHITECTURE)
        weights, arm = folder / PRUNED, ARMS.starting_from(Start.DETECTOR)
        small = detector_config(config, arm, weights, weights)
        size, attempt = self.trained.input_shape, Attempts()
        before = attempt('macs of the trained detector', lambda: detector_cost(config, size))
        after = attempt('macs', lambda: detector_cost(small, size))
        metrics = attempt('metrics', lambda: network.evaluate_pruned(folder / PRUNED))
        return self.result(
            metrics=metrics or {},
            **(fields_of(after) if after else {}),
            epochs=0,
            earlier_epochs=trainings_of(self.trained),
            spent=ledger.of_pruning(pruned.passes, before.whole.macs if before else None),
            checkpoint=PRUNED,
            digest=digest,
            architecture=ARCHITECTURE,
            unmeasured=attempt.unmeasured,
            not_as_asked=pruned.not_as_asked,
        )
