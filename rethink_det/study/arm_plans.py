"""What a study config says of one arm beside its name: a budget and seeds of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rethink_det.arms import ARMS, AT
from rethink_det.bounds import MOST_EPOCHS, MOST_SEED, MOST_TIMES, check_number
from rethink_det.errors import UserError, shown
from rethink_det.report.schema import read, within
from rethink_det.training.budget import LEAST_SCHEDULE, check_own_budget


@dataclass(frozen=True)
class ArmPlan:
    """One entry of ``arms``: ``'random'``, or ``dict(arm='random', schedule=2.4)``.

    Attributes:
        arm: Its name, or that with a budget, see :meth:`~rethink_det.arms.ArmTable.get`.
        epochs: So many for this arm, whatever its rule says.
        schedule: So many times the epochs of its rule; or the name of an arm whose rule it takes.
        seeds: Which of the study's seeds; default: all.
    """

    arm: str
    epochs: int | None = field(default=None, metadata=within(1, MOST_EPOCHS))
    schedule: float | str | None = field(default=None, metadata=within(LEAST_SCHEDULE, MOST_TIMES))
    seeds: tuple[int, ...] | None = field(default=None, metadata=within(0, MOST_SEED))

    @property
    def budget(self) -> dict[str, Any]:
        """Epochs and schedule, as far as it says them."""
        said = {'epochs': self.epochs, 'schedule': self.schedule}
        return {key: value for key, value in said.items() if value is not None}

    @property
    def said(self) -> str | dict[str, Any]:
        """The entry that it was read from, or one like it."""
        seeds = {} if self.seeds is None else {'seeds': self.seeds}
        more = seeds if AT in self.arm else {**self.budget, **seeds}
        return {'arm': self.arm, **more} if more else self.arm

    @property
    def suffix(self) -> str:
        """The budget in the name of an arm that stands there twice."""
        if AT in self.arm or not self.budget:
            return ''
        if self.epochs is not None:
            return f'{AT}{self.epochs}e'
        rule = isinstance(self.schedule, str)
        return f'{AT}{self.schedule}' if rule else f'{AT}{self.schedule:g}'


def arm_plans(
    stage: str, said: Any, where: str, known: Mapping[str, ArmPlan] | None = None
) -> dict[str, ArmPlan]:
    """The arms of a plan by their names.

    The first entry of an arm goes by its own name, whatever its budget; the others by that and
    their budget, ``scratch-e@2.4``.

    Args:
        stage: Of the plan.
        said: Names and dicts.
        where: How messages begin.
        known: Arms that were read before, for which their names stand.

    Raises:
        UserError: It is no such list, an arm or budget is unknown, or two entries are the same.
    """
    if isinstance(said, str) or not isinstance(said, Sequence):
        raise UserError(f'{where} must be a list, got {shown(said)}.')
    found: dict[str, ArmPlan] = {}
    for one in said:
        before = (known or {}).get(one) if isinstance(one, str) else None
        plan = before or _entry(stage, one, where)
        name = plan.arm if plan.arm not in found else f'{plan.arm}{plan.suffix}'
        if name in found:
            raise UserError(f'{where}: {name} stands there twice.')
        found[name] = plan
    return found


def budget_arms(stage: str, budgets: Any, where: str) -> list[str]:
    """The arm without any weights at several budgets, ``['scratch-e@0.5', 'scratch-e']``.

    Args:
        stage: Of the plan; of detectors the arm is ``random``.
        budgets: Multiples of the base schedule.
        where: How messages begin.

    Raises:
        UserError: They are no list of different numbers above 0.
    """
    if isinstance(budgets, str) or not isinstance(budgets, Sequence):
        raise UserError(
            f'{where} must be a list of multiples of the schedule, got {shown(budgets)}.'
        )
    for one in budgets:
        check_number(f'{where}: a multiple of the schedule', one, least=LEAST_SCHEDULE)
    if len(set(budgets)) < len(budgets):
        raise UserError(f'{where}: one of {budgets!r} stands there twice.')
    arm = ARMS.from_nothing(stage).name
    return [arm if one == 1 else f'{arm}{AT}{one:g}' for one in budgets]


def _entry(stage: str, said: Any, where: str) -> ArmPlan:
    if isinstance(said, str):
        ARMS.get(stage, said)
        budget = said.partition(AT)[2]
        return ArmPlan(said, **_budget(budget)) if budget else ArmPlan(said)
    plan = said if isinstance(said, ArmPlan) else read(ArmPlan, said, where)
    if AT in plan.arm and plan.budget:
        raise UserError(
            f'{where}: {plan.arm} names a budget already, and {plan.budget} is another.'
        )
    ARMS.get(stage, plan.arm)
    check_own_budget(stage, plan.epochs, plan.schedule)
    return plan


def _budget(said: str) -> dict[str, Any]:
    """What stands behind the ``@`` of a name."""
    if said.endswith('e') and said[:-1].isdigit():
        return {'epochs': int(said[:-1])}
    return {'schedule': float(said) if said[0].isdigit() else said}
