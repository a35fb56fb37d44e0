"""A transfer arm trains a segmenter."""

from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.arms import ARMS, Arm
from rethink_det.layout import CONFIG
from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import Spent
from rethink_det.segmentation.datasets.data_root import segmenter_base
from rethink_det.segmentation.epochs import in_epochs
from rethink_det.segmentation.transfer.adapt import segmenter_config
from rethink_det.study import ledger
from rethink_det.study.nodes import SegmenterTraining
from rethink_det.study.segmenter_measurements import segmenter_measurements
from rethink_det.study.stages.stage import Stage
from rethink_det.study.stages.train_detector import transferred
from rethink_det.study.stages.training import train_on
from rethink_det.study.training_facts import training_facts
from rethink_det.training.written_config import write_config


@dataclass(frozen=True)
class TrainSegmenter(Stage):
    """Training of a segmenter with a backbone from elsewhere.

    Attributes:
        start: A trained classifier, a pruned one, or what gives the shape alone.
    """

    run: SegmenterTraining
    start: RunResult
    evaluates = True

    @property
    def arm(self) -> Arm:
        """The arm that it trains."""
        arm = ARMS.get(self.run.stage, self.run.arm)
        return ARMS.untuned(arm) if self.run.untuned else arm

    def base_config(self) -> Config:
        """The config that the study names, on the data of its folder, its schedule in epochs."""
        own = in_epochs(segmenter_base(self.run.config, self.run.options, self.run.data_root))
        for change in own.changes:
            print(change)
        return own.config

    def adapted(self, config: Config) -> Config:
        """The segmenter's config with the arm's backbone."""
        arm, start = self.arm, self.start
        shape = start.checkpoint_path if arm.takes_weights else start.architecture_path
        budget = self.run.settings, self.run.epochs
        own = segmenter_config(config, arm, shape, self.weights_of(start), *budget)
        for change in own.changes:
            print(change)
        return own.config

    @property
    def needed(self) -> Spent:
        """What the arm owes to its parent."""
        return ledger.owed(self.arm, self.start)

    def do(self, config: Config, folder: Path) -> RunResult:
        """Train, evaluate and measure."""
        architecture = PrunedArchitecture.load(config.model.backbone.architecture)
        write_config(config, folder / CONFIG)
        metrics, checkpoint = train_on(config, folder)
        saved = Checkpoint.read(checkpoint)
        measured = segmenter_measurements(config, architecture, checkpoint)
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
