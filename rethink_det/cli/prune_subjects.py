"""What ``rethink-det prune`` can prune: trained classifiers, and the backbones of detectors."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import redirect_stdout
from copy import deepcopy
from io import StringIO
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory

from mmengine.config import Config
from torch import Tensor

from rethink_det.architecture import Cost, PrunedArchitecture
from rethink_det.architecture.checkpoint import load_checkpoint, save_checkpoint, state_dict_of
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.arms import ARMS, Start
from rethink_det.classification.arm_config import architecture_of, is_classifier, other_hooks
from rethink_det.detection import transfer_config
from rethink_det.detection.datasets.check import check_data
from rethink_det.detection.datasets.detection_batches import DetectionBatches
from rethink_det.detection.measuring.cost import backbone_cost
from rethink_det.detection.pruning import backbone_architecture, prune_detector
from rethink_det.errors import UserError
from rethink_det.pruning import Pruner, PruneResult, prune_state
from rethink_det.pruning.checkpoint import initial_weights
from rethink_det.training.launch import evaluate
from rethink_det.training.training_batches import TrainingBatches

Metrics = Mapping[str, float]


class Subject(ABC):
    """A trained network with the config that trained it.

    Args:
        config: The config.
        checkpoint: As read by ``load_checkpoint``.
        path: Its file.

    Raises:
        UserError: The checkpoint does not fit the config.
    """

    architecture: PrunedArchitecture

    def __init__(self, config: Config, checkpoint: Mapping, path: str | PathLike) -> None:
        self.config, self.checkpoint, self.path = config, checkpoint, path
        self.state = state_dict_of(checkpoint, path)

    @property
    def convention(self) -> InputConvention | None:
        """How its images were normalised: by what the checkpoint says, else by the config."""
        said = InputConvention.of_checkpoint(self.checkpoint, self.path)
        return said or InputConvention.of_settings(self.config.model.get('data_preprocessor'))

    @abstractmethod
    def cost(self, architecture: PrunedArchitecture) -> Cost:
        """What is counted of an architecture."""

    def initial(self, given: str | None) -> dict[str, Tensor] | None:
        """The weights its training started from, for a lottery ticket.

        Args:
            given: Their file, if it does not lie beside the checkpoint.

        Raises:
            UserError: The file is missing or damaged, or there is no use for it.
        """
        return initial_weights(self.path, given)

    @abstractmethod
    def prune(self, pruner: Pruner) -> PruneResult:
        """What the pruner makes of it; the checkpoint is left as it is."""

    @abstractmethod
    def evaluate_before(self) -> Metrics:
        """Its metrics on the config's test data."""

    @abstractmethod
    def evaluate_after(self, pruned: str | PathLike) -> Metrics:
        """Those of the pruned checkpoint."""


class Classifier(Subject):
    """A classifier of this package."""

    def __init__(self, config: Config, checkpoint: Mapping, path: str | PathLike) -> None:
        super().__init__(config, checkpoint, path)
        self.architecture = self._described()

    def _described(self) -> PrunedArchitecture:
        """By the checkpoint itself, if it is a pruned network, else by the config."""
        described = (self.checkpoint.get('meta') or {}).get('architecture')
        base = architecture_of(self.config)
        if described is None:
            return base
        found = PrunedArchitecture.from_dict(described)
        return found if found.base == base.base else base  # the weights will be refused by name

    def cost(self, architecture: PrunedArchitecture) -> Cost:
        """Backbone and head."""
        return architecture.cost()

    def prune(self, pruner: Pruner) -> PruneResult:
        """As of the base."""
        return prune_state(self.state, pruner, self.architecture, TrainingBatches(self.config))

    def evaluate_before(self) -> Metrics:
        """Top-1, as of the base."""
        return self._evaluate(self.architecture, self.path)

    def evaluate_after(self, pruned: str | PathLike) -> Metrics:
        """Top-1, as of the base."""
        return self._evaluate(PrunedArchitecture.load(pruned), pruned)

    def _evaluate(self, architecture: PrunedArchitecture, checkpoint: str | PathLike) -> Metrics:
        config = deepcopy(self.config)
        config.custom_hooks = other_hooks(config)
        config.model.backbone = {
            'type': 'rethink_det.PrunedBackbone',
            'architecture': architecture.to_dict(),
        }
        state = state_dict_of(load_checkpoint(checkpoint), checkpoint)
        with TemporaryDirectory() as folder:
            weights = Path(folder) / 'weights.pth'
            save_checkpoint({'state_dict': state}, weights)
            return _quietly(config, weights)


class Detector(Subject):
    """Any detector with a backbone and a neck."""

    def __init__(self, config: Config, checkpoint: Mapping, path: str | PathLike) -> None:
        super().__init__(config, checkpoint, path)
        self.architecture = backbone_architecture(config, checkpoint, path)

    def cost(self, architecture: PrunedArchitecture) -> Cost:
        """The backbone alone."""
        return backbone_cost(architecture)

    def initial(self, given: str | None) -> None:
        """There is no lottery arm of detectors, so nothing may be given."""
        if given is not None:
            raise UserError('--initial is for classifiers: detectors have no lottery arm.')

    def prune(self, pruner: Pruner) -> PruneResult:
        """As of the base; data-driven methods look at the detector's training images."""
        data = DetectionBatches(self.config)
        return prune_detector(self.config, self.checkpoint, self.path, pruner, data)

    def evaluate_before(self) -> Metrics:
        """AP, as of the base."""
        check_data(self.config, splits=('test',))
        return _quietly(self.config, self.path)

    def evaluate_after(self, pruned: str | PathLike) -> Metrics:
        """AP, as of the base."""
        arm = ARMS.starting_from(Start.DETECTOR)
        adapted = transfer_config(self.config, arm, pruned, pruned, say=lambda line: None)
        return _quietly(adapted, pruned)


def find(config: Config, checkpoint: Mapping, path: str | PathLike) -> Subject:
    """What a checkpoint holds, by the config that trained it; errors as of :class:`Subject`."""
    return (Classifier if is_classifier(config) else Detector)(config, checkpoint, path)


def _quietly(config: Config, checkpoint: str | PathLike) -> Metrics:
    config = deepcopy(config)
    config.log_level = 'ERROR'
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):  # MMEngine says what it loads
        config.work_dir = folder
        return evaluate(config, checkpoint)
