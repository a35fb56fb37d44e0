"""The backbone of a trained detector is pruned."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.arms import ARMS, DETECTION
from rethink_det.layout import ARCHITECTURE, CONFIG, PRUNED
from rethink_det.report.run_result import RunResult
from rethink_det.study.graph import DetectorPruning
from rethink_det.study.stages.detector_config import detector_config
from rethink_det.study.stages.stage import Stage
from rethink_det.study.trained_networks import trained_network


@dataclass(frozen=True)
class PruneDetector(Stage):
    """Pruning of a detector that was trained with the whole backbone.

    Attributes:
        trained: The detector.
        classifier: Where its backbone came from.
    """

    run: DetectorPruning
    trained: RunResult
    classifier: RunResult

    @property
    def settings(self) -> Mapping[str, Any]:
        """The method and its options."""
        return {'pruner': dict(self.run.pruner)}

    def adapted(self, config: Config) -> Config:
        """The config that the detector was trained by."""
        weights = self.classifier.checkpoint_path
        return detector_config(config, ARMS.reference(DETECTION), weights, weights)

    def training_compute(self, own: float | None) -> dict[str, Any]:
        """What the trained detector took."""
        return {'total_train_macs': self.trained.total_train_macs}

    def do(self, config: Config, folder: Path) -> RunResult:
        """Prune; the config's training images are for methods that look at data."""
        config.dump(folder / CONFIG)
        network = trained_network(config, self.trained.checkpoint_path)
        pruned = network.prune(self.run.pruner)
        digest = network.save_pruned(pruned, folder / PRUNED, self.run.pruner)
        pruned.architecture.save(folder / ARCHITECTURE)
        return self.result(
            **asdict(network.cost(pruned.architecture)),
            epochs=0,
            train_macs=0,
            checkpoint=PRUNED,
            digest=digest,
            architecture=ARCHITECTURE,
        )
