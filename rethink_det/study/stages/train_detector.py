"""A transfer arm trains a detector."""

from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.architecture.provenance import Provenance
from rethink_det.arms import ARMS, Arm
from rethink_det.detection.datasets.data_root import detector_base
from rethink_det.detection.wrapped import detector_of
from rethink_det.layout import CONFIG
from rethink_det.report.run_result import RunResult, Transferred
from rethink_det.report.spent import Spent
from rethink_det.study import ledger
from rethink_det.study.detector_measurements import detector_measurements, keep_curves
from rethink_det.study.nodes import DetectorTraining
from rethink_det.study.stages.detector_config import detector_config
from rethink_det.study.stages.stage import Stage
from rethink_det.study.stages.training import train_on
from rethink_det.study.training_facts import training_facts
from rethink_det.training.written_config import write_config


@dataclass(frozen=True)
class TrainDetector(Stage):
    """Training of a detector with a backbone from elsewhere.

    Attributes:
        start: A trained classifier or detector, a pruned one, or what gives the shape alone.
    """

    run: DetectorTraining
    start: RunResult
    version = 2  # 2: seeds do not share the orders of their images
    evaluates = True

    @property
    def arm(self) -> Arm:
        """The arm that it trains."""
        arm = ARMS.get(self.run.stage, self.run.arm)
        return ARMS.untuned(arm) if self.run.untuned else arm

    def base_config(self) -> Config:
        """The config that the study names, on the data of its folder."""
        return detector_base(self.run.config, self.run.options, self.run.data_root)

    def adapted(self, config: Config) -> Config:
        """The detector's config with the arm's backbone."""
        arm, start = self.arm, self.start
        shape = start.checkpoint_path if arm.takes_weights else start.architecture_path
        budget = self.run.settings, self.run.epochs
        return detector_config(config, arm, shape, self.weights_of(start), *budget)

    @property
    def needed(self) -> Spent:
        """What the arm owes to its parent."""
        return ledger.owed(self.arm, self.start)

    def do(self, config: Config, folder: Path) -> RunResult:
        """Train, evaluate and measure."""
        architecture = PrunedArchitecture.load(detector_of(config)[1].backbone.architecture)
        write_config(config, folder / CONFIG)
        keep_curves(config)
        metrics, checkpoint = train_on(config, folder)
        saved = Checkpoint.read(checkpoint)
        measured = detector_measurements(config, architecture, saved.state_dict, checkpoint)
        return self.result(
            **vars(measured),
            metrics=metrics,
            epochs=config.train_cfg.max_epochs,
            earlier_epochs=self.earlier_epochs(self.arm, self.start),
            training=training_facts(config, self.run),
            checkpoint=checkpoint.name,
            digest=digest(saved.state_dict),
            transferred=transferred(saved.provenance),
        )


def transferred(provenance: Provenance) -> Transferred:
    """What ``TransferHook`` wrote into a checkpoint."""
    parent = provenance.parent
    if parent is None:
        return Transferred()
    return Transferred(parent.tensors, parent.digest, parent.arm)
