"""A transfer arm trains a detector."""

from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.architecture.provenance import Provenance
from rethink_det.arms import ARMS, DETECTION, Arm
from rethink_det.detection.measuring.cost import backbone_cost
from rethink_det.layout import CONFIG
from rethink_det.report.run_result import RunResult, Transferred
from rethink_det.study import ledger
from rethink_det.study.detector_measurements import detector_facts, keep_curves
from rethink_det.study.graph import DetectorTraining
from rethink_det.study.stages.detector_config import detector_config
from rethink_det.study.stages.stage import Stage
from rethink_det.study.stages.training import train_on


@dataclass(frozen=True)
class TrainDetector(Stage):
    """Training of a detector with a backbone from elsewhere.

    Attributes:
        start: A trained classifier, a pruned detector, or what gives the shape alone.
    """

    run: DetectorTraining
    start: RunResult
    evaluates = True

    @property
    def arm(self) -> Arm:
        """The arm that it trains."""
        return ARMS.get(DETECTION, self.run.arm)

    def adapted(self, config: Config) -> Config:
        """The detector's config with the arm's backbone."""
        arm, start = self.arm, self.start
        shape = start.checkpoint_path if arm.takes_weights else start.architecture_path
        return detector_config(config, arm, shape, self.weights_of(start))

    def do(self, config: Config, folder: Path) -> RunResult:
        """Train, evaluate and measure."""
        architecture = PrunedArchitecture.load(config.model.backbone.architecture)
        config.dump(folder / CONFIG)
        keep_curves(config)
        metrics, checkpoint = train_on(config, folder)
        saved = Checkpoint.read(checkpoint)
        state = saved.state_dict
        shape = _test_shape(config)
        macs = backbone_cost(architecture, shape).macs
        own = ledger.of_training(config, macs)
        return self.result(
            metrics=metrics,
            params=sum(t.numel() for n, t in state.items() if not _is_buffer(n)),
            macs=macs,
            macs_of='backbone',
            input_shape=shape,
            epochs=config.train_cfg.max_epochs,
            train_macs=own,
            total_train_macs=ledger.total(ledger.owed(self.arm, self.start), own),
            checkpoint=checkpoint.name,
            digest=digest(state),
            transferred=_transferred(saved.provenance),
            **detector_facts(config, architecture, checkpoint, folder),
        )


def _transferred(provenance: Provenance) -> Transferred:
    """What ``TransferHook`` wrote into a trained detector's checkpoint."""
    parent = provenance.parent
    return Transferred() if parent is None else Transferred(parent.tensors, parent.digest)


def _test_shape(config: Config) -> tuple[int, int, int]:
    """Input of the detector by its test pipeline's Resize, ``(3, height, width)``."""
    pipeline = config.test_dataloader.dataset.pipeline
    scale = next((step.scale for step in pipeline if step.type == 'Resize'), (128, 128))
    divisor = config.model.data_preprocessor.get('pad_size_divisor', 1)
    width, height = (-(-side // divisor) * divisor for side in scale)
    return 3, height, width


def _is_buffer(name: str) -> bool:
    return name.rsplit('.', 1)[-1] in ('running_mean', 'running_var', 'num_batches_tracked')
