"""What an arm is, and a table of arms; which there are stands in :mod:`.arms`."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from rethink_det.errors import UserError

CLASSIFICATION, DETECTION, SEGMENTATION = 'classification', 'detection', 'segmentation'
STAGES = (CLASSIFICATION, DETECTION, SEGMENTATION)
"""Where arms belong, in the order in which they are trained and shown."""


class Start(Enum):
    """What an arm starts from; the value says in words what it needs for that."""

    RANDOM = 'no weights'
    INHERITED = 'a checkpoint with inherited weights'
    INITIAL = 'a checkpoint with the initial weights of its parent'
    CLASSIFIER = 'the checkpoint of a trained classifier'
    DETECTOR = 'the checkpoint of a detector'


class BudgetRule(Enum):
    """How long an arm trains; the value says it in words."""

    BASE = 'the epochs of the config'
    FINE_TUNE = 'a few epochs at a constant low learning rate'
    STRETCHED = 'the epochs of the config times the ratio of MACs'
    TOTAL = 'the compute of all trainings that the inherited weights owe to'


class Role(Enum):
    """What an arm is for in a report; the value says it in words."""

    REFERENCE = 'the network before it was pruned'
    BASELINE = 'inherited weights, what the others are compared with'
    CANDIDATE = 'the architecture without inherited weights, which the verdict is about'
    CONTROL = 'shown beside them, no verdict rests on it'


AT = '@'
"""Between an arm's name and a budget of its own."""
UNIQUE = (Role.REFERENCE, Role.BASELINE)
"""Roles that a stage gives once."""
_POSSIBLE = {
    CLASSIFICATION: ((Start.RANDOM, Start.INHERITED, Start.INITIAL), tuple(BudgetRule)),
    DETECTION: (
        (Start.RANDOM, Start.CLASSIFIER, Start.DETECTOR),
        (BudgetRule.BASE, BudgetRule.STRETCHED, BudgetRule.TOTAL),
    ),
    SEGMENTATION: ((Start.RANDOM, Start.CLASSIFIER), (BudgetRule.BASE, BudgetRule.STRETCHED)),
}
"""Starts and budget rules by stage: what its configs can be told."""
_NOUNS = {
    CLASSIFICATION: 'classification arm',
    DETECTION: 'transfer arm',
    SEGMENTATION: 'segmentation arm',
}


@dataclass(frozen=True)
class Arm:
    """One way to obtain a trained classifier, detector or segmenter.

    Attributes:
        name: As in the paper, lower case; unique in its stage.
        stage: One of :data:`STAGES`.
        label: Its name in prose, as in ``'Scratch-B reached 93.1 %'``.
        meaning: One line that explains it.
        pruned: Whether the network, or the backbone of a detector or segmenter, has the pruned
            architecture.
        start: What it starts from.
        budget: How long it trains.
        role: What it is for in a report.
        source: Of a detector or segmenter: the classification arm whose classifier gives the
            backbone.
        after_detector: Of a detector: whether one with the unpruned backbone is trained before
            it, which gives it weights, or the shape that it was pruned to.
        rivals: Names of the arms that it is compared with before the baseline, if one of them is
            trained: what it has all but one thing in common with.
        usual: Whether a study has it that does not say which arms it wants.
        untuned: Whether it takes what pruning wrote, without the training of its source, see
            :meth:`ArmTable.untuned`.

    Raises:
        UserError: The fields contradict each other, or the stage cannot do what they say.
    """

    name: str
    stage: str
    label: str
    meaning: str
    pruned: bool
    start: Start
    budget: BudgetRule
    role: Role
    source: str | None = None
    after_detector: bool = False
    rivals: tuple[str, ...] = ()
    usual: bool = False
    untuned: bool = False

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            known = ', '.join(STAGES)
            raise UserError(f'Arm {self.name}: stage {self.stage!r} is none of {known}.')
        starts, budgets = _POSSIBLE[self.stage]
        noun = _NOUNS[self.stage]
        if self.start not in starts:
            raise UserError(f'Arm {self.name}: no {noun} starts from {self.start.value}.')
        if self.budget not in budgets:
            raise UserError(f'Arm {self.name}: no {noun} trains for {self.budget.value}.')
        if (self.source is not None) != (self.start in (Start.CLASSIFIER, Start.DETECTOR)):
            raise UserError(f'Arm {self.name}: source={self.source!r} for {self.start.value}.')
        if self.after_detector != self.whole and (self.whole or self.stage != DETECTION):
            raise UserError(f'Arm {self.name}: after_detector={self.after_detector} for {noun}.')
        if not self.pruned and self.start in (Start.INHERITED, Start.INITIAL):
            raise UserError(f'Arm {self.name}: {self.start.value} fits no unpruned network.')

    @property
    def takes_weights(self) -> bool:
        """Whether it starts from weights at all."""
        return self.start is not Start.RANDOM

    @property
    def whole(self) -> bool:
        """Whether a whole detector's weights are taken, not those of its backbone."""
        return self.start is Start.DETECTOR

    @property
    def keeps_statistics(self) -> bool:
        """Whether it comes with BatchNorm statistics of its own shape.

        Those of a network that was cut and not trained since are the uncut one's.
        """
        trained = self.start is Start.CLASSIFIER and not self.untuned
        return trained or (self.whole and not self.pruned)


class ArmTable:
    """Arms in the order in which they are planned and shown.

    Args:
        arms: The entries.

    Raises:
        UserError: As of :meth:`register`.
    """

    def __init__(self, arms: Iterable[Arm] = ()) -> None:
        self._arms: dict[tuple[str, str], Arm] = {}
        for arm in arms:
            self.register(arm)

    def __iter__(self) -> Iterator[Arm]:
        return iter(self._arms.values())

    def register(self, arm: Arm) -> Arm:
        """Add an arm, as the last of the table.

        A module that does so is named in the ``custom_imports`` of the configs that train the
        arm, so that every process knows it.

        Raises:
            UserError: Its stage has one of that name, or of a role that is given once, or its
                source is unknown.
        """
        place = (arm.stage, arm.name)
        if place in self._arms:
            raise UserError(f'There is a {_NOUNS[arm.stage]} {arm.name!r} already.')
        if arm.role in UNIQUE and any(other.role is arm.role for other in self.of(arm.stage)):
            raise UserError(f'Arm {arm.name}: {arm.stage} has a {arm.role.name} already.')
        if arm.source is not None:
            self.get(CLASSIFICATION, arm.source)
        self._arms[place] = arm
        return arm

    def remove(self, stage: str, name: str) -> None:
        """Take an arm out again; errors as of :meth:`get`."""
        arm = self.get(stage, name)
        del self._arms[arm.stage, arm.name]

    def get(self, stage: str, name: str) -> Arm:
        """The arm of that stage and name.

        Args:
            stage: Where it belongs.
            name: As in the table; or that with a budget of its own, ``'scratch-e@12e'`` for 12
                epochs, ``'scratch-e@2.4'`` for 2.4 times its own, see :meth:`rebudgeted`.

        Raises:
            UserError: Unknown name; lists the known ones.
        """
        plain, at, budget = name.partition(AT)
        if (stage, plain) not in self._arms:
            known = ', '.join(self.names(stage))
            raise UserError(f'Unknown {_NOUNS[stage]} {name!r}; known are {known}.')
        arm = self._arms[stage, plain]
        return self.rebudgeted(arm, budget) if at else arm

    def rebudgeted(self, arm: Arm, budget: str) -> Arm:
        """An arm that stands in a study a second time, with another budget; a control.

        Args:
            arm: Of the table.
            budget: ``'12e'`` for epochs, ``'2.4'`` for a multiple of the arm's own, or the name
                of an arm whose rule it takes.

        Raises:
            UserError: The budget is none of these.
        """
        epochs = re.fullmatch(r'([1-9]\d*)e', budget)
        times = re.fullmatch(r'\d+(\.\d+)?', budget)
        if not (epochs or times or budget in self.names(arm.stage)):
            raise UserError(f'Arm {arm.name}{AT}{budget}: {budget!r} is no budget.')
        told = f'for {epochs[1]} epochs' if epochs else f'at {budget} times its epochs'
        told = told if epochs or times else f'by the schedule of {budget}'
        role = arm.role if arm.role not in UNIQUE else Role.CONTROL
        name, label = f'{arm.name}{AT}{budget}', f'{arm.label} {told}'
        return replace(arm, name=name, label=label, role=role, usual=False)

    def of(self, stage: str) -> list[Arm]:
        """All arms of a stage."""
        return [arm for arm in self if arm.stage == stage]

    def named(self, name: str) -> list[Arm]:
        """The arms of that name, whatever their stages.

        Raises:
            UserError: Unknown name; lists the known ones.
        """
        plain = name.partition(AT)[0]
        arms = [self.get(arm.stage, name) for arm in self if arm.name == plain]
        if not arms:
            known = ', '.join(dict.fromkeys(arm.name for arm in self))
            raise UserError(f'Unknown arm {name!r}; known are {known}.')
        return arms

    def names(self, stage: str) -> list[str]:
        """The names of a stage's arms."""
        return [arm.name for arm in self.of(stage)]

    def usual(self, stage: str) -> tuple[str, ...]:
        """Names of the arms that a study has if it does not say which."""
        return tuple(arm.name for arm in self.of(stage) if arm.usual)

    def reference(self, stage: str) -> Arm:
        """The arm that is not pruned."""
        return self._only(stage, Role.REFERENCE)

    def baseline(self, stage: str) -> Arm:
        """The arm that the others are compared with."""
        return self._only(stage, Role.BASELINE)

    def rivals(self, stage: str, name: str) -> tuple[str, ...]:
        """Names of the arms that one is compared with, the first that is trained of them.

        Its own rivals, the stage's baseline, and where that is not trained, what else inherits
        weights and is pruned. None of an arm that is not known, in an older result, but these.
        """
        heirs = [arm.name for arm in self.of(stage) if arm.whole and arm.pruned]
        own, baseline = self.own_rivals(stage, name), self.baseline(stage).name
        names = dict.fromkeys((*own, baseline, *heirs))
        return tuple(other for other in names if other != name)

    def own_rivals(self, stage: str, name: str) -> tuple[str, ...]:
        """Those that the table names; none of an arm that is not known."""
        found = self._arms.get((stage, name.partition(AT)[0]))
        return () if found is None else found.rivals

    def rival(self, stage: str, name: str, trained: Collection[str]) -> str | None:
        """The arm of those that are trained that one is compared with.

        None for the baseline, and for an arm that no verdict is about.
        """
        if name == self.baseline(stage).name or not self.is_judged(name):
            return None
        return next((other for other in self.rivals(stage, name) if other in trained), None)

    def _only(self, stage: str, role: Role) -> Arm:
        return next(arm for arm in self.of(stage) if arm.role is role)

    def inherits(self, arm: Arm) -> bool:
        """Whether a pruned network has the trained weights of the unpruned one, from wherever."""
        trained = arm if arm.source is None or arm.whole else self.source_of(arm)
        return trained.start in (Start.INHERITED, Start.DETECTOR)

    def takes_shape_alone(self, arm: Arm) -> bool:
        """Whether a pruned network has no weights of the unpruned one, trained or initial."""
        trained = arm if arm.source is None or arm.whole else self.source_of(arm)
        return arm.pruned and trained.start is Start.RANDOM

    @staticmethod
    def is_drawn_anew(arm: Arm) -> bool:
        """Whether all weights of the pruned network, of a whole detector, are drawn anew."""
        return arm.pruned and arm.start is Start.RANDOM

    def from_nothing(self, stage: str) -> Arm:
        """The arm that draws all weights of the pruned network anew, for the base schedule."""
        found = filter(self.is_drawn_anew, self.of(stage))
        return next(arm for arm in found if arm.budget is BudgetRule.BASE)

    def is_judged(self, name: str) -> bool:
        """Whether a verdict may be about it: not where its name tells a budget.

        Such an arm is a point of a curve; only a comparison that a study names is made of it.
        """
        return AT not in name

    def may_be_untuned(self, arm: Arm) -> bool:
        """Whether an arm takes a classifier that was trained on from inherited weights."""
        return arm.start is Start.CLASSIFIER and self.source_of(arm).start is Start.INHERITED

    def untuned(self, arm: Arm) -> Arm:
        """The arm on a network that was not fine-tuned after pruning.

        Raises:
            UserError: The arm takes no fine-tuned network.
        """
        if not self.may_be_untuned(arm):
            able = ', '.join(dict.fromkeys(one.name for one in self if self.may_be_untuned(one)))
            raise UserError(
                f'untuned=True is for arm {able}: arm {arm.name} takes no network that was '
                'fine-tuned.'
            )
        return replace(arm, untuned=True)

    def source_of(self, arm: Arm) -> Arm:
        """The arm whose classifier gives a detector its backbone."""
        if arm.source is None:
            raise ValueError(f'arm {arm.name} has no source')
        return self.get(CLASSIFICATION, arm.source)

    def starting_from(self, start: Start) -> Arm:
        """The first arm that starts so."""
        return next(arm for arm in self if arm.start is start)

    def candidates(self, stage: str) -> list[Arm]:
        """The arms that a verdict is about, those of the big network's compute first."""
        arms = [arm for arm in self.of(stage) if arm.role is Role.CANDIDATE]
        return sorted(arms, key=lambda arm: not self.has_equal_compute(arm))

    def has_equal_compute(self, arm: Arm) -> bool:
        """Whether the small network is trained with the big one's compute, or all of its rivals'.

        A detector's backbone is, if the classifier that it comes from was: all arms train the
        detector itself alike.
        """
        trained = arm if arm.source is None else self.get(CLASSIFICATION, arm.source)
        return trained.budget in (BudgetRule.STRETCHED, BudgetRule.TOTAL)

    def label(self, stage: str, name: str) -> str:
        """An arm's name in prose; of an unknown one (in an older result) the name itself."""
        try:
            return self.get(stage, name).label
        except UserError:
            return name

    def rank(self, stage: str, name: str) -> tuple[int, str]:
        """Sort key: the place in the table; unknown arms (of older results) last, by name."""
        places, plain = list(self._arms), (stage, name.partition(AT)[0])
        return (places.index(plain) if plain in places else len(places), name)
