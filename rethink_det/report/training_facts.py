"""What a run was trained by: what a fair comparison must hold equal."""

from collections.abc import Mapping
from dataclasses import dataclass, field

FLOAT32 = 'float32'
"""The precision that is meant where none is said."""
TOGETHER, ALONE = 'together', 'alone'
"""How the steps of a training were computed: with those of other runs as one network, or not."""


@dataclass(frozen=True)
class TrainingFacts:
    """How a run was trained, as its resolved config says it; None for what could not be found out.

    What stands in :class:`~.run_result.RunResult` itself is not repeated here: the compute, the
    parent, the pruner.

    Attributes:
        data: Name of the training data, its data set's type.
        data_digest: Of all that says which images these are; not of what is done to them.
        images: How many; None where they cannot be counted.
        augmentation: Digest of what is done to them: the pipeline and the preprocessor.
        epochs: Passes over them.
        batch_size: Of each process.
        lr: The base learning rate.
        schedule: What becomes of it, ``'MultiStepLR(gamma=0.1, milestones=[80, 120])'``;
            ``'constant'`` if nothing does.
        optimizer: With its settings but the learning rate, ``'SGD(momentum=0.9)'``.
        tuning: Of the learning rates that were tried for it, by the rate, the accuracy in percent
            on held-out training images; empty where nothing was tried.
        precision: What convolutions and linear layers of a step compute in, ``'float32'`` or
            ``'bfloat16'``; None of runs of before.
        computed: :data:`TOGETHER` or :data:`ALONE`; None of runs of before, which were alone.
        prunings: How often the network was pruned before; more than 1 is pruning in rounds.
    """

    data: str
    data_digest: str
    images: int | None
    augmentation: str
    epochs: int
    batch_size: int | None
    lr: float | None
    schedule: str
    optimizer: str
    prunings: int
    tuning: Mapping[str, float] = field(default_factory=dict)
    precision: str | None = None
    computed: str | None = None
