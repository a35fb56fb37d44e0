"""The runs of a study, as data: what each does, and the runs that it needs.

They are the nodes of the :mod:`.graph`. Budgets and paths are filled in when those before are done
(:mod:`.stages`), because the budget of Scratch-B follows from the architecture that pruning found.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from rethink_det.arms import CLASSIFICATION, DETECTION, SEGMENTATION
from rethink_det.classification.arm_config import ArmSettings
from rethink_det.report.run_result import DETECTOR_PRUNING, PRUNING, Reference
from rethink_det.study.names import joined, model_name
from rethink_det.transfer.settings import TransferSettings


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a study.

    Attributes:
        stage: What kind of run it is, one of :data:`~rethink_det.report.run_result.RUN_STAGES`.
        arm: Name of the arm; of a run that prunes :data:`~rethink_det.arms.AFTER_PRUNING`.
        seed: Seed of everything random in it.
        config: File of the config that its own follows from.
        options: Keys of that config set to other values, ``{'train_cfg.max_epochs': 3}``.
        epochs: The config's schedule, compressed or stretched to so many epochs.
        name: Of what is trained; empty for that of the config.
        variant: Which of a study's several pruners it belongs to; empty if there is one.
        round: Of pruning in rounds: which one this run serves before the last, from 1.
        parent: Name of the unpruned network it descends from, of a study that names several;
            empty where each seed has its own.
        reference: Published number beside which the result is shown.
    """

    stage: ClassVar[str]
    arm: str
    seed: int
    config: str
    options: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    name: str = ''
    variant: str = ''
    round: int = 0
    parent: str = ''
    reference: Reference | None = None

    @property
    def parents(self) -> dict[str, 'Run']:
        """The runs whose results it needs, by the names of the fields that hold them."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Run)}

    @property
    def origin(self) -> 'Run | None':
        """The unpruned classifier it descends from; None of a shape that is no run's."""
        return next((parent.origin for parent in self.parents.values()), None)

    @property
    def model(self) -> str:
        """Name of what is trained, by itself or by its base config, and the variant."""
        return joined(self.name or model_name(self.config), self.variant)

    @property
    def key(self) -> str:
        """Unique and readable: ``classification/resnet18/scratch-b/seed1``.

        Where the study names parents, ``classification/resnet18/scratch-b/parent-a/seed1``.
        """
        arm = f'{self.arm}-round{self.round}' if self.round else self.arm
        return joined(self.stage, self.model, arm, self._of_parent, f'seed{self.seed}')

    @property
    def _of_parent(self) -> str:
        return f'parent-{self.parent}' if self.parent else ''


@dataclass(frozen=True, kw_only=True)
class ClassifierTraining(Run):
    """A classifier is trained by an arm.

    Attributes:
        settings: Budgets of the arms.
        pruned: What pruning left, which the arm trains; None for the unpruned network.
        together: Whether it is computed together with others of its shape, where that can be.
    """

    stage = CLASSIFICATION
    settings: ArmSettings = ArmSettings()
    pruned: 'Pruning | None' = None
    together: bool = False

    @property
    def origin(self) -> Run | None:
        """Itself, if it is the unpruned network."""
        return self if self.pruned is None else super().origin

    @property
    def _of_parent(self) -> str:
        # Its seed names an unpruned network: studies with and without ``parents`` share it.
        return '' if self.pruned is None else super()._of_parent


@dataclass(frozen=True, kw_only=True)
class GivenClassifier(Run):
    """A trained classifier is taken from a file.

    Attributes:
        checkpoint: The file.
        base: What it is, where another tool wrote it and its tensors do not tell.
        ema: Whether its weights are those that were averaged over its training.
        trained_epochs: Epochs that it was trained for elsewhere; None if that is unknown.
        pruned: Of a network that was pruned elsewhere: that, as it was taken in.
        evaluated: Whether its score is asked for.
        compared: Whether other classifiers are compared with it, so that it must have one.
    """

    stage = CLASSIFICATION
    checkpoint: str
    base: str | None = None
    ema: bool = False
    trained_epochs: float | None = None
    pruned: 'GivenPruned | None' = None
    evaluated: bool = True
    compared: bool = True

    @property
    def origin(self) -> Run:
        """Itself."""
        return self


@dataclass(frozen=True, kw_only=True)
class ClassifierPruning(Run):
    """A trained classifier is pruned.

    Attributes:
        pruner: The method and its options.
        trained: What is pruned: of the first round the unpruned network.
        unpruned: The network before the first round, whose initial weights the lottery takes.
        widths: What has found the widths that it prunes to, if another did.
    """

    stage = PRUNING
    pruner: Mapping[str, Any]
    trained: ClassifierTraining | GivenClassifier
    unpruned: ClassifierTraining | GivenClassifier
    widths: 'Pruning | None' = None


@dataclass(frozen=True, kw_only=True)
class PublishedArchitecture(Run):
    """A published architecture is taken in place of pruning: a shape, and no weights.

    Attributes:
        architecture: Its name, or a JSON file.
    """

    stage = PRUNING
    architecture: str


@dataclass(frozen=True, kw_only=True)
class GivenPruned(Run):
    """A network that was pruned elsewhere is taken in place of pruning: its shape, its weights.

    Attributes:
        checkpoint: The file.
        tuned: Whether it was trained since it was pruned.
        ema: Whether its weights are those that were averaged over its training.
    """

    stage = PRUNING
    checkpoint: str
    tuned: bool = True
    ema: bool = False

    @property
    def origin(self) -> Run:
        """Itself: nobody knows the network that it was pruned from."""
        return self


@dataclass(frozen=True, kw_only=True)
class DetectorTraining(Run):
    """A detector is trained by a transfer arm.

    Attributes:
        start: Where its backbone, or all of it, comes from.
        data_root: Folder of its data; empty for those of its config.
        untuned: Whether that was pruned and not fine-tuned.
        settings: Its budget.
    """

    stage = DETECTION
    start: 'DetectorStart'
    data_root: str = ''
    untuned: bool = False
    settings: TransferSettings = TransferSettings()


@dataclass(frozen=True, kw_only=True)
class SegmenterTraining(DetectorTraining):
    """A segmenter is trained by a transfer arm, as a detector is."""

    stage = SEGMENTATION


@dataclass(frozen=True, kw_only=True)
class DetectorPruning(Run):
    """The backbone of a trained detector is pruned.

    Attributes:
        pruner: The method and its options.
        trained: The detector.
        classifier: Where its backbone came from.
        data_root: Folder of its data; empty for those of its config.
        widths: What has found the widths that it prunes to, if another did.
    """

    stage = DETECTOR_PRUNING
    data_root: str = ''
    pruner: Mapping[str, Any]
    trained: DetectorTraining
    classifier: ClassifierTraining | GivenClassifier
    widths: 'Pruning | DetectorPruning | None' = None


Classifier = ClassifierTraining | GivenClassifier
Pruning = ClassifierPruning | PublishedArchitecture | GivenPruned
DetectorStart = Classifier | Pruning | DetectorTraining | DetectorPruning
