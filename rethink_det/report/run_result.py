"""What a run came to: one type, which is its ``result.json`` and a row of ``results.json``.

Both files are plain JSON without NaN, whose keys are the fields below; one that is None is left
out. Files are named relative to the run's folder, and that relative to the study's, so that a
study may be moved.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION, SEGMENTATION
from rethink_det.errors import UserError
from rethink_det.files import plain, save_json
from rethink_det.layout import RESULT
from rethink_det.report import checksums
from rethink_det.report.environment import Environment
from rethink_det.report.schema import NO_KEY, one_of, read, read_file
from rethink_det.report.spent import Spent
from rethink_det.report.training_facts import TrainingFacts

FORMAT = 'rethink_det.run_result'
VERSION = 3  # 3: sealed, and with the digests of its files
_SEAL = 'seal'
"""Key of the digest of all else in the file."""
REMEDY = 'delete the folder, and the study does this run again'
PRUNING, DETECTOR_PRUNING = 'pruning', 'detector-pruning'
RUN_STAGES = (CLASSIFICATION, PRUNING, DETECTION, DETECTOR_PRUNING, SEGMENTATION)
"""What a run does: train a classifier, prune it, train a detector, prune it, train a segmenter."""
COMPLETED, FAILED, MISSING = STATUSES = ('completed', 'failed', 'missing')
"""What became of a run; missing is one that was not started."""
WHOLE, BACKBONE = COUNTED = ('detector', 'backbone')
"""What the MACs of a detector's run count: all of it, or its backbone alone, as runs of before."""


@dataclass(frozen=True)
class Reference:
    """A published number that a result is shown beside.

    Attributes:
        value: In the units of the stage's primary metric.
        source: Who published it.
    """

    value: float
    source: str | None = None


@dataclass(frozen=True)
class FeatureMapWidths:
    """How wide a backbone is where a detector reads it.

    Attributes:
        stride: Of the feature map, in pixels of the image.
        width: Its channels.
        base_width: Those of the unpruned backbone.
        inside: Output channels of all convolutions of that stride.
        base_inside: Those of the unpruned backbone.
    """

    stride: int
    width: int
    base_width: int
    inside: int
    base_inside: int


@dataclass(frozen=True)
class Transferred:
    """The weights that a detector started from, as its checkpoint proves them.

    Attributes:
        tensors: How many; None where nothing was transferred.
        parent_digest: Of their names, shapes and values.
        parent_arm: Arm, or step, that they are of; None if that is not known.
    """

    tensors: int | None = None
    parent_digest: str | None = None
    parent_arm: str | None = None


@dataclass(frozen=True)
class Plan:
    """What the study told a run to do.

    Attributes:
        config: File of the config that its own follows from.
        options: Keys of that set to other values.
        settings: What its stage is told besides, the pruner, say.
    """

    config: str
    options: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunResult:
    """One run of a study.

    Attributes:
        stage: One of :data:`RUN_STAGES`.
        arm: Name of the arm.
        seed: Of everything random in it.
        metrics: Percent for ``accuracy/*`` and ``mIoU``, 0..1 for ``coco/*``; None for one not
            finite.
        model: Name of what was trained: of its config, and of the variant.
        status: One of :data:`STATUSES`.
        key: Of the run, unique in its study.
        params: Number of parameters.
        macs: Multiply-adds of one forward pass of ``input_shape``.
        macs_conv: Those of convolutions.
        macs_linear: Those of linear layers.
        macs_of: Of a detector, one of :data:`COUNTED`: what these are of, and so are the
            computes below; see :attr:`counts_backbone_alone`.
        backbone_params: Of a detector, those of the parameters that are its backbone's.
        backbone_macs: The same of the MACs.
        regions: Boxes that a detector of two stages is counted at.
        input_shape: Of one image, ``(channels, height, width)``.
        input_origin: Where a detector's was found out, in words.
        epochs: Trained for; 0 where nothing was.
        earlier_epochs: Those that the weights it started from were trained for at the same task,
            training by training; None for one of unknown length.
        train_macs: Training compute spent by this run alone.
        total_train_macs: With that of the parents it cannot do without; None where a given
            parent's is unknown.
        shape_train_macs: Of pruning: training compute that it took to know the shape, weights
            aside.
        spent: What this run alone took, by what for; None of runs of before.
        total_spent: With what its parents took that it cannot do without.
        shape_spent: Of pruning: what it took to know the shape, weights aside.
        checkpoint: File of the weights.
        digest: Of the weights; of the shape where there are none.
        architecture: File of the network's architecture.
        transferred: What a detector started from.
        latency_ms: Median of a detector, batch 1.
        latency_device: Where that was measured.
        peak_memory_mib: Of a detector on one image, weights included.
        stages: Widths of a detector's backbone, by feature map.
        unmeasured: What of that is missing, and why.
        not_as_asked: What the pruning that made its network was asked for in vain, in words.
        reference: A published number to compare with.
        wall_s: Seconds that the run took; of one that was broken off, all attempts together, and of
            one that was computed together with others, its share.
        error: Why there is no result, or not one of every metric.
        folder: Of the run, relative to the study's.
        identity: Digest of all that the result follows from.
        parent: Name of the unpruned network that it descends from, in the study's design; None
            where each seed has its own.
        parent_digest: Digest of that network's weights; None where the run has no such parent.
        parent_given: Whether that network was given, and not trained by the study.
        test_images: How many images the metrics are of.
        test_digest: Digest of these images and what is true of them.
        replicates: By metric, its value on test sets of the same size drawn from the test images
            with replacement. The draws follow from :attr:`test_digest` alone: the k-th is of the
            same images in every run that has it, so two runs are compared by subtraction.
        training: What it was trained by; None where nothing was, or an older run does not say.
        plan: What the run was told.
        pruner: What made the network small: a pruner and its options, or the ``architecture``
            that was taken in place of pruning; None for an unpruned network.
        environment: Where, when and by what the run was done.
        pruned_metrics: Where weights were inherited: the metrics of the network right after
            pruning, before any training; None where that is not known.
        checksums: By name, digests of the files that the run left; None of runs of before.
        root: Folder of the study, which only the reader knows.
    """

    stage: str = field(metadata=one_of(RUN_STAGES))
    arm: str
    seed: int
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    model: str = ''
    status: str = field(default=COMPLETED, metadata=one_of(STATUSES))
    key: str | None = None
    params: int | None = None
    macs: float | None = None
    macs_conv: float | None = None
    macs_linear: float | None = None
    macs_of: str | None = None
    backbone_params: int | None = None
    backbone_macs: float | None = None
    regions: int | None = None
    input_shape: tuple[int, ...] | None = None
    input_origin: str | None = None
    epochs: float | None = None
    earlier_epochs: tuple[float | None, ...] | None = None
    train_macs: float | None = None
    total_train_macs: float | None = None
    shape_train_macs: float | None = None
    spent: Spent | None = None
    total_spent: Spent | None = None
    shape_spent: Spent | None = None
    checkpoint: str | None = None
    digest: str | None = None
    architecture: str | None = None
    transferred: Transferred | None = None
    latency_ms: float | None = None
    latency_device: str | None = None
    peak_memory_mib: float | None = None
    stages: tuple[FeatureMapWidths, ...] | None = None
    unmeasured: str | None = None
    not_as_asked: str | None = None
    reference: Reference | None = None
    wall_s: float | None = None
    error: str | None = None
    folder: str | None = None
    identity: str | None = None
    parent: str | None = None
    parent_digest: str | None = None
    parent_given: bool | None = None
    test_images: int | None = None
    test_digest: str | None = None
    replicates: Mapping[str, tuple[float, ...]] | None = None
    training: TrainingFacts | None = None
    plan: Plan | None = None
    pruner: Mapping[str, Any] | None = None
    environment: Environment | None = None
    pruned_metrics: Mapping[str, float | None] | None = None
    checksums: Mapping[str, str] | None = None
    root: Path | None = field(default=None, compare=False, repr=False, metadata=NO_KEY)

    @property
    def counts_backbone_alone(self) -> bool:
        """Whether its MACs, and the computes that follow from them, leave out neck and heads.

        So they do in detectors' runs of before there was a count of the whole.
        """
        return self.stage in (DETECTION, DETECTOR_PRUNING) and self.macs_of != WHOLE

    @property
    def whole_macs(self) -> float | None:
        """Of the whole network; None where they are not known."""
        return None if self.counts_backbone_alone else self.macs

    @property
    def macs_in_backbone(self) -> float | None:
        """Of a detector's backbone; None where they are not known."""
        return self.macs if self.counts_backbone_alone else self.backbone_macs

    @property
    def network(self) -> str | None:
        """What runs that ended in the same network share; None if that is not known.

        A given network stands there for every seed.
        """
        given = self.parent_given and self.arm == ARMS.reference(CLASSIFICATION).name
        return self.ancestor if given and self.stage == CLASSIFICATION else self.digest

    @property
    def ancestor(self) -> str | None:
        """What runs that descend from one unpruned network share; None if that is not known.

        A given network whose digest is not told goes by its name.
        """
        return self.parent_digest or (f'given {self.parent}' if self.parent_given else None)

    @property
    def is_given(self) -> bool:
        """Whether it is a pruned network that was trained elsewhere, and stands for itself."""
        own = self.parent_given and self.digest is not None and self.digest == self.parent_digest
        return bool(own) and self.arm != ARMS.reference(CLASSIFICATION).name

    @property
    def repetition(self) -> int | str:
        """What tells the runs of an arm apart: the seed, with the parent if the design names it."""
        return self.seed if self.parent is None else f'{self.parent}/{self.seed}'

    @property
    def place(self) -> Path:
        """The folder of the run; of a row of an unknown study relative to that."""
        return Path(self.root or '') / (self.folder or '')

    @property
    def checkpoint_path(self) -> Path:
        """The file of the weights.

        Raises:
            ValueError: The run has none.
        """
        return self._path('checkpoint', self.checkpoint)

    @property
    def architecture_path(self) -> Path:
        """The file of the architecture; errors as of :attr:`checkpoint_path`."""
        return self._path('architecture', self.architecture)

    def _path(self, what: str, name: str | None) -> Path:
        if name is None:
            raise ValueError(f'{self.key or self.stage} has no {what}')
        return self.place / name

    @property
    def files(self) -> dict[str, str]:
        """The files that others build on, by what they are; relative to :attr:`place`."""
        files = {'checkpoint': self.checkpoint, 'architecture': self.architecture}
        return {what: name for what, name in files.items() if name is not None}

    @property
    def gone(self) -> list[str]:
        """Names of its files that are not there."""
        names = dict.fromkeys([*self.files.values(), *(self.checksums or {})])
        return [name for name in names if not (self.place / name).is_file()]

    @property
    def is_in_place(self) -> bool:
        """Whether it lies in the folder of its identity; of a run of before nobody knows."""
        known = self.checksums is not None and self.identity is not None
        return not known or (self.folder or '').endswith(f'-{(self.identity or "")[:8]}')

    @property
    def changed(self) -> list[str]:
        """Names of its files that are not what the run left, as far as that is known."""
        return checksums.changed(self.place, self.checksums or {})

    def to_dict(self) -> dict[str, Any]:
        """The row of ``results.json``."""
        return plain(asdict(replace(self, root=None), dict_factory=_without_none))

    @classmethod
    def read(cls, folder: Path, root: Path) -> 'RunResult':
        """The ``result.json`` in a run's folder, which lies in the study's folder ``root``.

        Raises:
            FileNotFoundError: There is none: the run is not finished.
            UserError: It is damaged, was edited since it was written, or is not one of these.
        """
        path = folder / RESULT
        content = read_file(path, FORMAT, VERSION, REMEDY)
        seal = content.pop(_SEAL, None)
        if seal is not None and seal != checksums.of_content(content):
            raise UserError(f'{path}: was changed since the run wrote it; {REMEDY}')
        result = read(cls, content, str(path), REMEDY)
        return replace(result, root=root, folder=folder.relative_to(root).as_posix())

    def write(self) -> None:
        """Write ``result.json`` into its folder, atomically, and seal it."""
        content = self.to_dict()
        sealed = {_SEAL: checksums.of_content(content), **content}
        save_json({'format': FORMAT, 'version': VERSION, **sealed}, self.place / RESULT)


def _without_none(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dataclass as a dict, without what is not known."""
    return {name: value for name, value in fields if value is not None}
