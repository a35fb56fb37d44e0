"""The parts of a study config: where the backbones come from, and where they go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from rethink_det.arms import (
    ARMS,
    CLASSIFICATION,
    DETECTION,
    SEGMENTATION,
    Arm,
    BudgetRule,
    Start,
)
from rethink_det.bounds import MOST_EPOCHS, MOST_SEED, MOST_TIMES
from rethink_det.classification.arm_config import ArmSettings
from rethink_det.errors import UserError, shown
from rethink_det.report.run_result import Reference
from rethink_det.report.schema import NO_KEY, said_as, within
from rethink_det.study.arm_plans import ArmPlan, arm_plans, budget_arms
from rethink_det.study.parents import Parent, name_of
from rethink_det.training.budget import LEAST_SCHEDULE
from rethink_det.transfer.settings import BUDGETS, EPOCHS, TransferSettings

ENTRIES = said_as(Sequence[str | ArmPlan])
"""Metadata of ``arms``: names, or what more is said of one."""
COUNT, TIMES = within(1, MOST_EPOCHS), within(LEAST_SCHEDULE, MOST_TIMES)
"""Metadata of epochs, and of multiples of a schedule."""
MOST_ROUNDS = 100

VARIANT_KEYS = (
    'pruner', 'architecture', 'arms', 'rounds', 'round_arm', 'arm_settings', 'reference',
    'controls', 'widths_of',
)  # fmt: skip
"""What a variant may say of its own; the config, its options and epochs are the parent's."""


@dataclass(frozen=True)
class ClassificationPlan:
    """The ``classification`` part of a study config.

    Attributes:
        config: Training config of the unpruned network. It may be left out where a trained one is
            given and no classifier is trained: of a study of detectors alone.
        pruner: ``dict(type='L1NormPruner', ...)``.
        pruners: Instead of one pruner several, by the names of the variants that they make:
            ``{'a': dict(...), 'b': dict(...)}``. All of them prune the same parents.
        variants: What a variant has of its own, by its name: any of :data:`VARIANT_KEYS`, in
            place of what the plan says. ``pruners={'a': P}`` is short for
            ``variants={'a': dict(pruner=P)}``.
        architecture: Instead of a pruner: a published architecture (name or JSON file), where
            the pruned weights are not at hand. Only arms from scratch can train it.
        pruned: Instead of a pruner: a network that was pruned and tuned elsewhere, a checkpoint of
            this package or of a tool that ``convert`` reads. No unpruned network is trained.
        untuned: It was not tuned: fine-tuning is an arm to be trained.
        arms: Which arms, by name or as :class:`~rethink_det.study.arm_plans.ArmPlan` says, with
            a budget or seeds of their own; here they stand by their names. ``unpruned`` runs in
            any case, the others need it. Default: the usual; without a config none.
        rounds: How often to prune; between two rounds the pruned network is trained. What the
            pruner is told (a ratio, say) holds for each round.
        round_arm: The arm of that training: ``'fine-tune'`` (arXiv 1506.02626), or
            ``'lottery'``, which starts each round from the initial weights (arXiv 1803.03635).
        parent: Checkpoint of a trained unpruned network, taken instead of training one; it may
            be another tool's that ``rethink-det convert`` reads.
        parents: Several unpruned networks, each crossed with all seeds of the study: the seed
            that one is trained with, or the checkpoint of a trained one, whose name is its
            file's. Without them each seed has a parent of its own.
        base: Of a parent of another tool, what it is, where its tensors do not tell: as
            ``rethink-det convert --base`` takes it.
        ema: Of the given networks (``parent``, ``parents``, ``pruned``) take the weights that
            were averaged over their training.
        parent_epochs: Epochs that the given parents were trained for elsewhere; without it the
            compute of all that builds on them is unknown.
        arm_settings: Keyword arguments of
            :class:`~rethink_det.classification.arm_config.ArmSettings`.
        epochs: The config's schedule, compressed or stretched to so many epochs.
        options: Other keys of ``config`` set to other values.
        reference: Published top-1 by arm, ``{arm: dict(value=..., source=...)}``; those of a
            variant as ``{'a/fine-tune': ...}``.
        controls: Whether random and L1-norm pruning to equal widths stand beside each pruner, see
            :mod:`.controls`. They have its arms with inherited weights; the others are shared.
        ratios: Shares to remove: of each pruner, which says none itself, a variant for each.
        budgets: Multiples of the base schedule for which networks are also trained from scratch,
            ``scratch-e@0.5``: where that catches up with the baseline, the report says.
        widths_of: Of a variant: the name of another one, to whose widths its pruner prunes. It
            shares the arms of that one which take the shape alone.
        arm_plans: What :attr:`arms` says, by their names; no key of a config.
        together: Whether trainings are computed together, see :mod:`.together`; no key of a config.

    Raises:
        UserError: ``arms`` is no list of arms, or one stands there twice; ``budgets`` are none.
    """

    config: str = ''
    pruner: Mapping | None = None
    pruners: Mapping[str, Mapping] = field(default_factory=dict)
    variants: Mapping[str, Mapping] = field(default_factory=dict)
    architecture: str | None = None
    pruned: str | None = None
    untuned: bool = False
    arms: Sequence[str] = field(
        default_factory=partial(ARMS.usual, CLASSIFICATION), metadata=ENTRIES
    )
    rounds: int = field(default=1, metadata=within(1, MOST_ROUNDS))
    round_arm: str = field(default_factory=lambda: ARMS.baseline(CLASSIFICATION).name)
    parent: str | None = None
    parents: Sequence[Parent] = field(default=(), metadata=within(0, MOST_SEED))
    base: str | None = None
    ema: bool = False
    parent_epochs: float | None = field(default=None, metadata=within(0, MOST_EPOCHS))
    arm_settings: Mapping = field(default_factory=dict)
    epochs: int | None = field(default=None, metadata=COUNT)
    options: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, Reference] = field(default_factory=dict)
    controls: bool = False
    ratios: Sequence[float] = field(default=(), metadata=within(0, 1))
    budgets: Sequence[float] = field(default=(), metadata=TIMES)
    widths_of: str = ''
    arm_plans: Mapping[str, ArmPlan] = field(default_factory=dict, metadata=NO_KEY)
    together: bool = field(default=False, metadata=NO_KEY)

    def __post_init__(self) -> None:
        _name_arms(self, CLASSIFICATION, () if self.widths_of else self.budgets)

    def settings_of(self, arm: str) -> ArmSettings:
        """Budgets of an arm: those of all, and its own."""
        own = self.arm_plans[arm].budget if arm in self.arm_plans else {}
        return ArmSettings(**{**self.arm_settings, **own})

    @property
    def name(self) -> str:
        """Of what it trains, by its config or else by what is given in place of one."""
        given = self.given_parents or [self.architecture or '']
        return Path(self.config or (given[0] if len(given) == 1 else 'parents')).stem

    def model(self, variant: str = '') -> str:
        """Name of what is trained of a variant."""
        return '/'.join(filter(None, (self.name, variant)))

    @property
    def trains(self) -> bool:
        """Whether a classifier is trained after pruning, in any variant."""
        arms = [arm for name in self.variant_names for arm in self.of(name).arms]
        return any(ARMS.get(CLASSIFICATION, arm).pruned for arm in arms)

    @property
    def evaluated(self) -> bool:
        """Whether a parent's score is asked for: without any arm nothing is reported of it."""
        return bool(self.config) and any(self.of(name).arms for name in self.variant_names)

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
    def is_given(self) -> bool:
        """Whether any network of it is not trained but read from a file."""
        return bool(self.given_parents or self.pruned)

    @property
    def pruning_settings(self) -> dict:
        """What the pruning stage is told where there is one way to prune."""
        given = {
            'pruner': self.pruner,
            'architecture': self.architecture,
            'pruned': self.pruned,
        }
        return {key: value for key, value in given.items() if value is not None}

    def gives(self, arm: str) -> bool:
        """Whether an arm's trained network is given and not trained."""
        return bool(self.pruned) and not self.untuned and arm == ARMS.baseline(CLASSIFICATION).name

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
        own.setdefault('arm_plans', {} if 'arms' in own else self.arm_plans)
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
class TransferPlan:
    """One entry of the ``detection`` or the ``segmentation`` part of a study config.

    Attributes:
        config: Training config of the detector or segmenter with its usual backbone.
        data_root: Folder of a detector's data, or of a segmenter's pictures and maps, in place of
            the config's, as ``rethink-det train --data-root`` takes it.
        name: Under which its results stand, unique in the study; default: that of the config,
            and of the budget if that is ``'compute'``.
        arms: Which transfer arms, as those of a :class:`ClassificationPlan`; default: the usual.
        seeds: Which of the study's seeds; default: all.
        epochs: The config's schedule, compressed or stretched to so many epochs.
        budgets: As of a :class:`ClassificationPlan`, of detectors without any weights:
            ``random@2``.
        budget: ``'epochs'``: every arm trains for those of the config, as published;
            ``'compute'``: every pruned detector gets the compute of the unpruned one, its epochs
            times the ratio of the two whole detectors' MACs.
        options: Other keys of ``config`` set to other values.
        reference: Published AP, or mIoU, by arm.
        untuned: In arms that take a pruned and fine-tuned classifier, take it as pruning left it.
        arm_plans: What :attr:`arms` says, by their names; no key of a config.

    Raises:
        UserError: ``arms`` is no list of arms, or one stands there twice; an unknown budget.
    """

    stage: ClassVar[str]
    config: str
    data_root: str = ''
    name: str = ''
    arms: Sequence[str] = field(default=(), metadata=ENTRIES)
    seeds: Sequence[int] | None = field(default=None, metadata=within(0, MOST_SEED))
    epochs: int | None = field(default=None, metadata=COUNT)
    budgets: Sequence[float] = field(default=(), metadata=TIMES)
    budget: str = EPOCHS
    options: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, Reference] = field(default_factory=dict)
    untuned: bool = False
    arm_plans: Mapping[str, ArmPlan] = field(default_factory=dict, metadata=NO_KEY)

    def __post_init__(self) -> None:
        _name_arms(self, self.stage, self.budgets)
        if self.budget not in BUDGETS:
            known = ', '.join(BUDGETS)
            raise UserError(f'study.{self.stage}: budget {self.budget!r} is none of {known}.')
        if not isinstance(self.name, str):
            raise UserError(f'study.{self.stage}: name must be a text, got {shown(self.name)}.')
        if not self.name:
            suffix = '' if self.budget == EPOCHS else f'-{self.budget}'
            object.__setattr__(self, 'name', f'{Path(self.config).stem}{suffix}')

    def model(self, variant: str = '') -> str:
        """Name of what is trained on the shapes of a variant."""
        return '/'.join(filter(None, (self.name, variant)))

    def arm(self, name: str) -> Arm:
        """The arm of a name, as this plan has it."""
        arm = ARMS.get(self.stage, name)
        return ARMS.untuned(arm) if self.untuned and ARMS.may_be_untuned(arm) else arm

    def settings_of(self, arm: str) -> TransferSettings:
        """The budget of an arm: the plan's, or its own."""
        own = self.arm_plans[arm].budget if arm in self.arm_plans else {}
        common: dict[str, Any] = {'budget': self.budget, 'stage': self.stage}
        return TransferSettings(untuned=self.arm(arm).untuned, **common, **own)

    def equal_to(self, arm: Arm) -> tuple[TransferSettings, TransferSettings] | None:
        """Of an arm that gets the compute of two trainings, the settings of these."""
        if arm.budget is not BudgetRule.TOTAL:
            return None
        heir = ARMS.starting_from(Start.DETECTOR).name
        return self.settings_of(ARMS.reference(self.stage).name), self.settings_of(heir)

    def seeds_of(self, arm: str, study: Sequence[int]) -> Sequence[int]:
        """The seeds of an arm, in a study of those seeds."""
        own = self.arm_plans[arm].seeds if arm in self.arm_plans else None
        mine = study if self.seeds is None else self.seeds
        return mine if own is None else own


@dataclass(frozen=True)
class DetectionPlan(TransferPlan):
    """One entry of the ``detection`` part of a study config."""

    stage = DETECTION
    arms: Sequence[str] = field(default_factory=partial(ARMS.usual, DETECTION), metadata=ENTRIES)


@dataclass(frozen=True)
class SegmentationPlan(TransferPlan):
    """One entry of the ``segmentation`` part of a study config."""

    stage = SEGMENTATION
    arms: Sequence[str] = field(default_factory=partial(ARMS.usual, SEGMENTATION), metadata=ENTRIES)


def _name_arms(
    plan: ClassificationPlan | TransferPlan, stage: str, budgets: Sequence[float]
) -> None:
    """Let ``arms`` be names, and ``arm_plans`` what was said with them."""
    plans = arm_plans(stage, plan.arms, f'study.{stage}: arms', plan.arm_plans)
    more = [
        arm for arm in budget_arms(stage, budgets, f'study.{stage}: budgets') if arm not in plans
    ]
    plans |= arm_plans(stage, more, f'study.{stage}: budgets')
    object.__setattr__(plan, 'arms', tuple(plans))
    object.__setattr__(plan, 'arm_plans', plans)
