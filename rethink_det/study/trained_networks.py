"""Pruning a trained network, a classifier or a detector, and evaluating it before and after."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import redirect_stdout
from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from io import StringIO
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from mmengine.config import Config
from torch import Tensor

from rethink_det.architecture import Cost, PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.arms import ARMS, Start
from rethink_det.classification.arm_config import (
    classifier_architecture,
    is_classifier,
    other_hooks,
)
from rethink_det.convert import library_checkpoint
from rethink_det.detection import transfer_config
from rethink_det.detection.datasets.check_data import check_data
from rethink_det.detection.datasets.detection_batches import DetectionBatches
from rethink_det.detection.load_detector import self_contained
from rethink_det.detection.measuring.cost import backbone_cost, detector_cost
from rethink_det.detection.measuring.detector_latency import detector_latency
from rethink_det.detection.measuring.input_size import input_size
from rethink_det.detection.pruning import backbone_architecture, prune_detector
from rethink_det.detection.transfer.adapt import with_shape
from rethink_det.errors import UserError
from rethink_det.latency import NetworkLatency
from rethink_det.packages import is_library_name
from rethink_det.pruning import Pruner, PruneResult, build_pruner, prune_state
from rethink_det.pruning.checkpoint import initial_weights, pruned_checkpoint
from rethink_det.training.device import device_named
from rethink_det.training.launch import evaluate
from rethink_det.training.training_batches import TrainingBatches

Metrics: TypeAlias = Mapping[str, float]


def trained_network(config: Config, path: str | PathLike, ema: bool = False) -> 'TrainedNetwork':
    """The network in a checkpoint: a classifier or a detector, by the config that trained it.

    Args:
        config: The config.
        path: The checkpoint.
        ema: Take the weights that were averaged over the training.

    Raises:
        UserError: The checkpoint is missing, damaged, or not of that config.

    Example:
        >>> from rethink_det import load_config, trained_network
        >>> network = trained_network(load_config('classifier.py'), 'trained.pth')
        >>> settings = {'type': 'L1NormPruner', 'ratios': 0.5}
        >>> pruned = network.prune(settings)
        >>> digest = network.save_pruned(pruned, 'pruned.pth', settings)
        >>> list(network.evaluate()), list(network.evaluate_pruned('pruned.pth'))
        (['accuracy/top1'], ['accuracy/top1'])
    """
    path = library_checkpoint(str(path)) if is_library_name(path) else path
    kind = TrainedClassifier if is_classifier(config) else TrainedDetector
    return kind(config, Checkpoint.read(path, ema))


class TrainedNetwork(ABC):
    """A trained network with the config that trained it.

    Args:
        config: The config, as it was trained by.
        checkpoint: Its weights.

    Attributes:
        architecture: Of the classifier, or of the detector's backbone.

    Raises:
        UserError: The checkpoint does not fit the config.
    """

    architecture: PrunedArchitecture

    def __init__(self, config: Config, checkpoint: Checkpoint) -> None:
        self.config, self.checkpoint = config, checkpoint

    @abstractmethod
    def cost(self, architecture: PrunedArchitecture | None = None) -> Cost:
        """What is counted of an architecture; default: its own."""

    def initial_weights(self, given: str | PathLike | None = None) -> dict[str, Tensor] | None:
        """The weights its training started from, for a lottery ticket; ``None`` if unknown.

        Args:
            given: Their file, if it does not lie beside the checkpoint.

        Raises:
            UserError: The file is missing or damaged, or there is no use for it.
        """
        return initial_weights(self.checkpoint.path, given)

    def prune(self, pruner: Mapping | Pruner, device: str | None = None) -> PruneResult:
        """What a pruner, or its config, makes of the network; the checkpoint is left as it is.

        Methods that look at data look at the config's training images.

        Args:
            pruner: The method.
            device: What such methods compute on; default: a GPU if there is one.

        Raises:
            UserError: Unknown pruner, impossible ratio, weights of another architecture, or no
                such device.
        """
        return self._prune(pruner if isinstance(pruner, Pruner) else build_pruner(pruner), device)

    @abstractmethod
    def _prune(self, pruner: Pruner, device: str | None) -> PruneResult: ...

    def save_pruned(
        self,
        pruned: PruneResult,
        path: str | PathLike,
        pruner: Mapping,
        initial: Mapping[str, Tensor] | None = None,
    ) -> str:
        """Write a checkpoint that says what it is and what it was pruned from.

        Args:
            pruned: What :meth:`prune` gave.
            path: The file.
            pruner: Config of the pruner.
            initial: Of :meth:`initial_weights`; they are pruned alike, for the lottery arm.

        Returns:
            The digest of all tensors in it.

        Raises:
            UserError: The initial weights are of another network.
        """
        checkpoint = pruned_checkpoint(pruned, self.checkpoint, pruner, self.config, initial)
        checkpoint.write(path)
        return checkpoint.digest

    @abstractmethod
    def evaluate(self) -> Metrics:
        """Its metrics on the config's test data.

        Raises:
            UserError: The config has no test data, or it is not there.
        """

    @abstractmethod
    def evaluate_pruned(self, path: str | PathLike) -> Metrics:
        """Those of a checkpoint that it was pruned into, just so, without training."""


class TrainedClassifier(TrainedNetwork):
    """A classifier of this package."""

    def __init__(self, config: Config, checkpoint: Checkpoint) -> None:
        super().__init__(config, checkpoint)
        self.architecture = self._described()

    def _described(self) -> PrunedArchitecture:
        """By the checkpoint itself, if it is a pruned network, else by the config."""
        base = classifier_architecture(self.config)
        if self.checkpoint.architecture is None:
            return base
        own = PrunedArchitecture.load(self.checkpoint)
        return own if own.base == base.base else base  # the weights will be refused by name

    def cost(self, architecture: PrunedArchitecture | None = None) -> Cost:
        """Of backbone and head."""
        return (architecture or self.architecture).cost()

    def _prune(self, pruner: Pruner, device: str | None) -> PruneResult:
        data = TrainingBatches(self.config)
        return prune_state(self.checkpoint.weights, pruner, self.architecture, data, device)

    def evaluate(self) -> Metrics:
        """Accuracy, as of the base."""
        return self._evaluate(self.architecture, self.checkpoint)

    def evaluate_pruned(self, path: str | PathLike) -> Metrics:
        """Accuracy, as of the base."""
        pruned = Checkpoint.read(path)
        return self._evaluate(PrunedArchitecture.load(pruned), pruned)

    def _evaluate(self, architecture: PrunedArchitecture, checkpoint: Checkpoint) -> Metrics:
        config = deepcopy(self.config)
        config.custom_hooks = other_hooks(config)
        config.model.backbone = {
            'type': 'rethink_det.PrunedBackbone',
            'architecture': architecture.to_dict(),
        }
        with TemporaryDirectory() as folder:
            weights = Path(folder) / 'weights.pth'
            replace(checkpoint, state_dict=checkpoint.weights).write(weights)
            return _evaluate_quietly(config, weights)


class TrainedDetector(TrainedNetwork):
    """Any detector with a backbone and a neck; it is the backbone that is pruned."""

    def __init__(self, config: Config, checkpoint: Checkpoint) -> None:
        super().__init__(self_contained(config, checkpoint), checkpoint)
        self.architecture = backbone_architecture(config, checkpoint)

    def cost(self, architecture: PrunedArchitecture | None = None) -> Cost:
        """Of the backbone alone."""
        return backbone_cost(architecture or self.architecture)

    def initial_weights(self, given: str | PathLike | None = None) -> None:
        """There is no lottery arm of detectors, so nothing may be given."""
        if given is not None:
            raise UserError('--initial is for classifiers: detectors have no lottery arm.')

    def _prune(self, pruner: Pruner, device: str | None) -> PruneResult:
        data = DetectionBatches(self.config)
        named = device_named(device)

        def latency() -> NetworkLatency:
            return detector_latency(self.config, self.checkpoint, self._image, named)

        return prune_detector(
            self.config, self.checkpoint, pruner, data, self._costs, named, latency
        )

    def _costs(self, architecture: PrunedArchitecture, quantity: str) -> float:
        """Of the whole detector, at the size of its test images."""
        config = with_shape(self.config, architecture)
        return float(getattr(detector_cost(config, self._image).whole, quantity))

    @cached_property
    def _image(self) -> tuple[int, ...]:
        """Shape of a test image: to tell it a data set is read."""
        return tuple(input_size(self.config).shape)

    def evaluate(self) -> Metrics:
        """AP, as of the base."""
        check_data(self.config, splits=('test',))
        return _evaluate_quietly(self.config, self.checkpoint.path, self.checkpoint.ema)

    def evaluate_pruned(self, path: str | PathLike) -> Metrics:
        """AP, as of the base."""
        arm = ARMS.starting_from(Start.DETECTOR)
        adapted = transfer_config(self.config, arm, path, path).config
        return _evaluate_quietly(adapted, path)


def _evaluate_quietly(config: Config, checkpoint: str | PathLike, ema: bool = False) -> Metrics:
    """Without a log: MMEngine prints all that it loads, which is not asked for here."""
    config = deepcopy(config)
    config.log_level = 'ERROR'
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        config.work_dir = folder
        return evaluate(config, checkpoint, ema)
