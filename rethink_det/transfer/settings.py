"""What ``--arm-settings`` may say about the training of a detector or segmenter.

Sources: Rethinking ImageNet Pre-training (arXiv 1811.08883), section 3: from random weights a
detector needs normalisation that works in small batches, and more epochs.
"""

import re
from dataclasses import dataclass, field, replace

from mmengine.config import Config

from rethink_det.arms import ARMS, DETECTION, Arm, BudgetRule, Start
from rethink_det.bounds import MOST_EPOCHS, MOST_TIMES
from rethink_det.errors import UserError
from rethink_det.report.schema import NO_KEY, within
from rethink_det.training import Budget
from rethink_det.training.budget import LEAST_SCHEDULE, Base, check_own_budget, own_epochs

LONGEST = 6
_TIMES = re.compile(rf'([1-{LONGEST}])x')
EPOCHS, COMPUTE = BUDGETS = ('epochs', 'compute')
"""What all arms of a detector have alike."""


@dataclass(frozen=True)
class TransferSettings:
    """Settings of a transfer arm.

    Attributes:
        schedule: ``'1x'``: the config's own, which every arm trains by, so that arms differ in
            their backbones alone. ``random`` may take ``'2x'`` to ``'6x'``: so many times the
            epochs of the config, of which the learning rate is low in the last ones only. The
            drops keep the distance from the end that they have at 2x: of mmdet's 12 epochs
            with drops at 8 and 11, 6x makes 72 with drops at 64 and 70. (Section 3 of the
            paper: "we always reduce the learning rate by 10x in the last 60k and last 20k
            iterations respectively, no matter how many total iterations", of 90k to the 1x.)
            A number (2.4) is so many times the epochs of the arm, any arm's, with the drops where
            they are in proportion; the name of an arm, that arm's rule in place of its own.
        epochs: So many for the arm, whatever its rule says.
        budget: ``'epochs'``: every arm trains for those of the config, as published;
            ``'compute'``: a pruned detector gets the compute of the unpruned one, its epochs times
            the ratio of the two whole detectors' MACs.
        sync_bn: Compute the statistics of every BatchNorm over the images of all GPUs (SyncBN),
            the paper's remedy for two images a GPU; it matters where BatchNorm is trained. It
            needs GPUs and ``--launcher``: in a single process it changes nothing.
        untuned: Take a network that was pruned and not fine-tuned, where the arm has one that
            was: what the inherited weights are worth as they are. Its BatchNorm statistics are
            those of the uncut network, so nothing of it is frozen.
        equal_to: Settings of the two trainings whose compute ``scratch-d`` gets, of the detector
            before it is pruned and after; default: as it would be without any.
        stage: Whether it is an arm of a detector or of a segmenter.

    Raises:
        UserError: An unknown budget or schedule, or epochs and a schedule at once.
    """

    schedule: float | str = field(default='1x', metadata=within(LEAST_SCHEDULE, MOST_TIMES))
    epochs: int | None = field(default=None, metadata=within(1, MOST_EPOCHS))
    budget: str = EPOCHS
    sync_bn: bool = False
    untuned: bool = False
    equal_to: tuple['TransferSettings', 'TransferSettings'] | None = field(
        default=None, metadata=NO_KEY
    )
    stage: str = field(default=DETECTION, metadata=NO_KEY)

    def __post_init__(self) -> None:
        times = isinstance(self.schedule, str) and self.schedule not in ARMS.names(self.stage)
        if times and _TIMES.fullmatch(str(self.schedule)) is None:
            raise UserError(
                f'Unknown schedule {self.schedule!r}; known are 1x to {LONGEST}x, a number, and '
                f'{", ".join(ARMS.names(self.stage))}.'
            )
        check_own_budget(self.stage, self.epochs, None if times else self.schedule)
        if self.budget not in BUDGETS:
            raise UserError(f'budget {self.budget!r} is none of {", ".join(BUDGETS)}.')

    def apply(self, config: Config, arm: Arm, base: Base | None = None) -> None:
        """Write them into a detector's config, in place.

        Args:
            config: Of the detector.
            arm: Which transfer arm.
            base: What the arm's budget follows from; default: the config's schedule, unless
                :meth:`compares_detectors`.

        Raises:
            UserError: One of 2x to 6x for an arm that may not have it, or the config does not
                train by epochs.
        """
        self._check_longer(arm)
        if base is not None or not self.keeps_schedule(arm):
            self.budget_of(arm, base or Base(Budget.of(config), None, 1, 1)).apply(config)
        if self.sync_bn:
            config.sync_bn = 'torch'  # MMEngine converts the model when it goes distributed

    @property
    def times(self) -> int | None:
        """Of a schedule of 1x to 6x the number."""
        found = _TIMES.fullmatch(str(self.schedule))
        return int(found[1]) if found else None

    def keeps_schedule(self, arm: Arm) -> bool:
        """Whether an arm trains by the schedule of the config as it is."""
        own = self.epochs is not None or self.times != 1
        return not own and self.rule(arm) is BudgetRule.BASE

    def compares_detectors(self, arm: Arm) -> bool:
        """Whether the arm's budget follows from the MACs of two whole detectors."""
        return self.epochs is None and self.rule(arm) is not BudgetRule.BASE

    def rule(self, arm: Arm) -> BudgetRule:
        """The arm's own, that of the arm whose schedule it takes, or that of all pruned ones."""
        if isinstance(self.schedule, str) and self.times is None:
            arm = ARMS.get(self.stage, self.schedule)
        spends = self.budget == COMPUTE and arm.pruned and arm.budget is BudgetRule.BASE
        return BudgetRule.STRETCHED if spends else arm.budget

    def budget_of(self, arm: Arm, base: Base) -> Budget:
        """The budget of an arm.

        Args:
            arm: Which transfer arm.
            base: The config's schedule, and the MACs of both detectors where the rule needs them.
        """
        if self.epochs is not None:
            return base.schedule.scaled(self.epochs)
        whole = self._by_rule(self.rule(arm), base)
        if self.times is not None:
            return lengthened(whole, self.times) if self.times > 1 else whole
        epochs = own_epochs(whole.epochs, None, self.schedule)
        return whole if epochs is None else base.schedule.scaled(epochs)

    def _by_rule(self, rule: BudgetRule, base: Base) -> Budget:
        if rule is BudgetRule.BASE:
            return base.base()
        if rule is BudgetRule.STRETCHED:
            return base.stretched()
        first, second = self.equal_to or (self.of_all, self.of_all)
        arms = ARMS.reference(DETECTION), ARMS.starting_from(Start.DETECTOR)
        epochs = [
            one.budget_of(arm, base).epochs for one, arm in zip((first, second), arms, strict=True)
        ]
        return base.total(*epochs)

    @property
    def of_all(self) -> 'TransferSettings':
        """What the arms of a plan have alike, without a budget of their own."""
        return TransferSettings(budget=self.budget, stage=self.stage)

    def _check_longer(self, arm: Arm) -> None:
        if self.times in (None, 1) or not (arm.takes_weights or arm.budget is not BudgetRule.BASE):
            return
        able = [a for a in ARMS.of(self.stage) if a.budget is BudgetRule.BASE]
        drawn = ', '.join(other.name for other in able if not other.takes_weights)
        raise UserError(
            f'schedule={self.schedule} is for arm {drawn}: arm {arm.name} trains by the '
            "config's own, as all arms that are compared do."
        )


def lengthened(base: Budget, times: int) -> Budget:
    """A budget ``times`` as long, with the drops as far from the end as at twice the length.

    Schedulers without milestones are stretched as a whole.
    """
    longer = base.scaled(base.epochs * times)
    pairs = zip(base.schedulers, longer.schedulers, strict=True)
    schedulers = [
        {**new, 'milestones': [longer.epochs - 2 * (base.epochs - m) for m in old['milestones']]}
        if 'milestones' in old and old.get('by_epoch', True)
        else new
        for old, new in pairs
    ]
    return replace(longer, schedulers=tuple(schedulers))
