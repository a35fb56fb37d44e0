"""The parts of a study config: where the backbones come from, and where they go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION, Arm
from rethink_det.report.run_result import Reference
from rethink_det.study.parents import Parent, name_of

VARIANT_KEYS = (
    'pruner', 'architecture', 'arms', 'rounds', 'round_arm', 'arm_settings', 'reference'
)  # fmt: skip
"""What a variant may say of its own; the config, its options and epochs are the parent's."""


@dataclass(frozen=True)
class ClassificationPlan:
    """The ``classification`` part of a study config.

    Attributes:
        config: Training config of the unpruned network.
        pruner: ``dict(type='L1NormPruner', ...)``.
        pruners: Instead of one pruner several, by the names of the variants that they make:
            ``{'a': dict(...), 'b': dict(...)}``. All of them prune the same parents.
        variants: What a variant has of its own, by its name: any of :data:`VARIANT_KEYS`, in
            place of what the plan says. ``pruners={'a': P}`` is short for
            ``variants={'a': dict(pruner=P)}``.
        architecture: Instead of a pruner: a published architecture (name or JSON file), where
            the pruned weights are not at hand. Only arms from scratch can train it.
        arms: Which arms; ``unpruned`` runs in any case, the others need it. Default: the usual.
        rounds: How often to prune; between two rounds the pruned network is trained. What the
            pruner is told (a ratio, say) holds for each round.
        round_arm: The arm of that training: ``'fine-tune'`` (arXiv 1506.02626), or
            ``'lottery'``, which starts each round from the initial weights (arXiv 1803.03635).
        parent: Checkpoint of a trained unpruned network, taken instead of training one.
        parents: Several unpruned networks, each crossed with all seeds of the study: the seed
            that one is trained with, or the checkpoint of a trained one, whose name is its
            file's. Without them each seed has a parent of its own.
        parent_epochs: Epochs that the given parents were trained for elsewhere; without it the
            compute of all that builds on them is unknown.
        arm_settings: Keyword arguments of
            :class:`~rethink_det.classification.arm_config.ArmSettings`.
        epochs: The config's schedule, compressed or stretched to so many epochs.
        options: Other keys of ``config`` set to other values.
        reference: Published top-1 by arm, ``{arm: dict(value=..., source=...)}``; those of a
            variant as ``{'a/fine-tune': ...}``.
    """

    config: str
    pruner: Mapping | None = None
    pruners: Mapping[str, Mapping] = field(default_factory=dict)
    variants: Mapping[str, Mapping] = field(default_factory=dict)
    architecture: str | None = None
    arms: Sequence[str] = field(default_factory=partial(ARMS.usual, CLASSIFICATION))
    rounds: int = 1
    round_arm: str = field(default_factory=lambda: ARMS.baseline(CLASSIFICATION).name)
    parent: str | None = None
    parents: Sequence[Parent] = ()
    parent_epochs: float | None = None
    arm_settings: Mapping = field(default_factory=dict)
    epochs: int | None = None
    options: Mapping = field(default_factory=dict)
    reference: Mapping[str, Reference] = field(default_factory=dict)

    @property
    def variant_names(self) -> tuple[str, ...]:
        """Names of the variants; the only one of a study without variants has none."""
        return tuple({**self.pruners, **self.variants}) or ('',)

    @property
    def named_parents(self) -> dict[str, Parent]:
        """The unpruned networks by name, each its seed or its file; none if a seed has its own."""
        return {name_of(parent): parent for parent in self.parents}

    @property
    def parent_names(self) -> tuple[str, ...]:
        """Their names; the parents that each seed has of its own go without."""
        return tuple(self.named_parents) or ('',)

    @property
    def given_parents(self) -> list[str]:
        """The files of those that are not trained."""
        given = [self.parent] if self.parent else []
        return given + [parent for parent in self.parents if isinstance(parent, str)]

    @property
    def pruning_settings(self) -> dict:
        """What the pruning stage is told where there is one way to prune."""
        given = {'pruner': self.pruner, 'architecture': self.architecture}
        return {key: value for key, value in given.items() if value is not None}

    def of(self, variant: str) -> 'ClassificationPlan':
        """The plan of one variant alone: its own words, else those of the study."""
        if not variant:
            return self
        own: dict[str, Any] = dict(self.variants.get(variant, {}))
        if variant in self.pruners:
            own.setdefault('pruner', self.pruners[variant])
        prefix = f'{variant}/'
        published = {
            key.removeprefix(prefix): number
            for key, number in self.reference.items()
            if key.startswith(prefix)
        }
        own['arm_settings'] = {**self.arm_settings, **own.get('arm_settings', {})}
        own['reference'] = {**published, **own.get('reference', {})}
        return replace(self, **own, pruners={}, variants={})

    def restricted(self, names: Sequence[str]) -> 'ClassificationPlan':
        """The plan with these variants only."""
        kept: dict[str, Any] = {
            key: {name: own for name, own in getattr(self, key).items() if name in names}
            for key in ('pruners', 'variants')
        }
        return replace(self, **kept)


@dataclass(frozen=True)
class DetectionPlan:
    """One entry of the ``detection`` part of a study config.

    Attributes:
        config: Training config of the detector with its usual backbone.
        arms: Which transfer arms; default: the usual.
        seeds: Which of the study's seeds; default: all.
        epochs: The config's schedule, compressed or stretched to so many epochs.
        options: Other keys of ``config`` set to other values.
        reference: Published AP by arm.
        untuned: In arms that take a pruned and fine-tuned classifier, take it as pruning left it.
    """

    config: str
    arms: Sequence[str] = field(default_factory=partial(ARMS.usual, DETECTION))
    seeds: Sequence[int] | None = None
    epochs: int | None = None
    options: Mapping = field(default_factory=dict)
    reference: Mapping[str, Reference] = field(default_factory=dict)
    untuned: bool = False

    def arm(self, name: str) -> Arm:
        """The arm of a name, as this plan has it."""
        arm = ARMS.get(DETECTION, name)
        return ARMS.untuned(arm) if self.untuned and ARMS.may_be_untuned(arm) else arm
