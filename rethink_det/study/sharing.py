"""Which variants and plans of a study have runs that are the same, so that one is planned.

Weights that are drawn anew follow from the widths alone, whichever channels a pruner chose. Two
predefined pruners that are told alike how many channels to keep leave the same shape, and what is
trained from scratch on it is the same run. A variant that prunes to the widths of another one has
all such runs from there. So is a detector the same of two plans that differ in what they say of
other arms.
"""

import json
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import lru_cache

from rethink_det.arms import ARMS, CLASSIFICATION, Arm, BudgetRule, Start
from rethink_det.files import plain
from rethink_det.pruning import PredefinedPruner, build_pruner
from rethink_det.study.arm_plans import ArmPlan
from rethink_det.study.plans import ClassificationPlan, TransferPlan
from rethink_det.transfer.settings import EPOCHS


def followed(plan: ClassificationPlan, arm: Arm) -> str:
    """The variant to whose widths another one prunes, if it has this arm of it; else empty.

    Args:
        plan: Of the one that prunes to them.
        arm: Of a classifier, or of a detector.
    """
    return plan.widths_of if ARMS.takes_shape_alone(arm) else ''


def arms_of(plan: ClassificationPlan, variant: str) -> dict[str, ArmPlan]:
    """What is said of the classifiers of a variant, its own and those of the one it follows.

    Args:
        plan: Of all variants.
        variant: Name of one.
    """
    mine = plan.of(variant)
    theirs = plan.of(mine.widths_of).arm_plans if mine.widths_of else {}

    def follows(arm: str) -> bool:
        return bool(followed(mine, ARMS.get(CLASSIFICATION, arm)))

    own = {arm: said for arm, said in mine.arm_plans.items() if not follows(arm)}
    return own | {arm: said for arm, said in theirs.items() if follows(arm)}


def variant_of_shape(plan: ClassificationPlan, variant: str, arm: Arm) -> str:
    """The first variant whose run of an arm is that of this one; most are their own.

    Args:
        plan: Of all variants.
        variant: Name of one.
        arm: Of a classifier, or of a detector.
    """
    leader = followed(plan.of(variant), arm)
    if leader:
        return variant_of_shape(plan, leader, arm)
    if arm.start is not Start.RANDOM or not arm.pruned:
        return variant
    own = _of_arm(plan.of(variant), arm)
    if own is None:
        return variant
    alike = (name for name in plan.variant_names if _of_arm(plan.of(name), arm) == own)
    return next(alike, variant)


def _of_arm(plan: ClassificationPlan, arm: Arm) -> Hashable:
    """What a run from scratch follows from, as far as variants differ in it; None if unknown."""
    shape = _shape(plan)
    if shape is None or arm.stage != CLASSIFICATION:
        return shape
    if arm.name not in plan.arms or arm.budget is BudgetRule.TOTAL:
        return None
    own = plan.arm_plans[arm.name]
    return shape, repr(plan.settings_of(arm.name)), own.seeds, repr(plan.reference.get(arm.name))


def _shape(plan: ClassificationPlan) -> Hashable:
    """What tells the widths of a variant before any weights are seen; None if nothing does."""
    if plan.architecture is not None:
        return plan.architecture
    if plan.pruner is None or plan.rounds != 1 or plan.widths_of:
        return None
    return _widths(json.dumps(plain(plan.pruner), sort_keys=True))


@lru_cache(maxsize=64)
def _widths(said: str) -> Hashable:
    """The same of a pruner, as JSON: a target takes a while to read."""
    pruner = build_pruner(json.loads(said))
    if not isinstance(pruner, PredefinedPruner) or pruner.selects:
        return None
    if type(pruner).targets is not PredefinedPruner.targets:
        return None  # it says so in another way
    return pruner.widths_follow_from


def plan_of_run(plans: Sequence[TransferPlan], plan: TransferPlan, arm: Arm) -> TransferPlan:
    """The first plan of a study whose run of an arm is that of this one."""
    own = _of_detector(plan, arm)
    return next(one for one in plans if one is plan or _of_detector(one, arm) == own)


def _of_detector(plan: TransferPlan, arm: Arm) -> Hashable:
    """What a run of a detector follows from, as far as plans differ in it; None of another's."""
    arms = [plan.arm(name) for name in plan.arms]
    reference = ARMS.reference(plan.stage).name
    needed = [reference] if any(one.after_detector for one in arms) else []
    if arm.name not in (*plan.arms, *needed):
        return None
    settings = replace(plan.settings_of(arm.name), equal_to=plan.equal_to(arm))
    if not arm.pruned:
        settings = replace(settings, budget=EPOCHS)  # a budget is that of pruned detectors
    told = (plan.config, plan.data_root, plan.epochs, plan.options, plan.reference, settings)
    return repr(told)
