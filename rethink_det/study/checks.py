"""What the parts of a study are refused for, before anything runs."""

from collections.abc import Sequence
from pathlib import Path

from rethink_det.architecture import PrunedArchitecture
from rethink_det.arms import (
    ARMS,
    CLASSIFICATION,
    DETECTION,
    SEGMENTATION,
    Arm,
    BudgetRule,
    Start,
)
from rethink_det.bounds import check_folder_name
from rethink_det.classification.arm_config import ArmSettings, budget_rule
from rethink_det.datasets.held_out import check_divisible
from rethink_det.errors import UserError, shown
from rethink_det.pruning import PredefinedPruner, build_pruner
from rethink_det.pruning.pruner import pruner_class
from rethink_det.registered import scope_of
from rethink_det.report.schema import read
from rethink_det.study.parents import KEY, check_parent_epochs, check_parents
from rethink_det.study.plans import ClassificationPlan, TransferPlan
from rethink_det.study.sharing import followed
from rethink_det.study.without_classification import check_start, missing_source
from rethink_det.training.config import load_config


def check_parents_of(plan: ClassificationPlan, detectors: Sequence[Arm]) -> None:
    """Refuse networks that cannot be the parents of a study, or what a given one cannot do.

    Args:
        plan: Of all variants.
        detectors: The transfer arms of the study.

    Raises:
        UserError: Says the key, and what to do.
    """
    check_parents(plan.parents)
    if plan.ema and not plan.is_given:
        raise UserError(f'study.classification.ema {_OF_GIVEN}')
    _check_given_pruned(plan, detectors)
    if plan.parents and plan.parent:
        raise UserError(f'{KEY} is in place of parent={plan.parent!r}: leave one of them out.')
    if plan.parents and any(plan.of(name).architecture for name in plan.variant_names):
        raise UserError(f'{KEY}: a published architecture has no parent; it needs a pruner.')
    check_parent_epochs(plan.parent_epochs, plan.given_parents)


def check_transfer(study: ClassificationPlan, arm: Arm) -> None:
    """Refuse a transfer arm for which the classifiers leave something out.

    Args:
        study: Of all variants.
        arm: Of a detector.

    Raises:
        UserError: Says what it needs.
    """
    always = (None, ARMS.reference(CLASSIFICATION).name)
    for plan in map(study.of, study.variant_names):
        if followed(plan, arm):
            continue
        if arm.source not in (*always, *plan.arms) and not arm.untuned:
            left = 'the study leaves out.' if plan.config else missing_source(arm)
            raise UserError(
                f'Transfer arm {arm.name} needs the classification arm {arm.source}, which {left}'
            )
        if arm.untuned and plan.architecture is not None:
            raise UserError(
                f'Transfer arm {arm.name} with untuned=True takes what pruning left: it needs '
                'study.classification with a pruner.'
            )
        pruned = arm.after_detector and arm.pruned
        if pruned and (plan.architecture is not None or plan.rounds != 1):
            missing = 'rounds=1' if plan.architecture is None else 'a pruner'
            raise UserError(
                f'Transfer arm {arm.name} has a trained detector pruned, once: it needs '
                f'study.classification with {missing}.'
            )
        check_start(arm, plan)


def check_variants(plan: ClassificationPlan) -> None:
    """Refuse variants that make no sense, by themselves or together.

    Args:
        plan: Of all variants.

    Raises:
        UserError: Says the key, and what to do.
    """
    if plan.pruning_settings and plan.variant_names != ('',):
        raise UserError(_WAYS_TO_PRUNE)
    for name in filter(None, plan.variant_names):
        check_folder_name('study.classification: the name of a variant', name)
        if name in ARMS.names(CLASSIFICATION):
            raise UserError(
                f'study.classification: a variant cannot be called {name!r}, which is an arm.'
            )
        _check_widths(name, plan)
    for variant in map(plan.of, plan.variant_names):
        _check_settings(variant)
        _check_pruning(variant)
        _check_rounds(variant)


def _check_settings(plan: ClassificationPlan) -> None:
    settings = read(ArmSettings, plan.arm_settings, 'study.classification.arm_settings')
    if settings.epochs is not None or settings.schedule is not None:
        raise UserError(
            'study.classification.arm_settings: epochs and schedule are of one arm: '
            "arms=[dict(arm='...', epochs=...)]; those of all are study.classification.epochs."
        )
    if settings.tune_lr:
        _check_tuning(plan)
    needy = [a for a in plan.arms if _rule_of(plan, a) is BudgetRule.TOTAL]
    if needy and plan.given_parents and plan.parent_epochs is None:
        raise UserError(
            f'Arm {needy[0]} trains with the compute of the parent, which is given and does '
            'not say what that was: set study.classification.parent_epochs.'
        )


def _rule_of(plan: ClassificationPlan, arm: str) -> BudgetRule:
    return budget_rule(ARMS.get(CLASSIFICATION, arm), plan.settings_of(arm))


def check_seeds(key: str, seeds: Sequence[int]) -> None:
    """Refuse seeds of which none is there, or one twice.

    Args:
        key: Of the seeds.
        seeds: Whole numbers.

    Raises:
        UserError: Names the key.
    """
    if not seeds:
        raise UserError(f'{key} must be a list of whole numbers, got none.')
    twice = next((seed for seed in seeds if seeds.count(seed) > 1), None)
    if twice is not None:
        raise UserError(f'{key}: {twice} stands there twice.')


MODELS_OF = {DETECTION: 'detector', SEGMENTATION: 'segmenter'}


def check_names(plans: Sequence[TransferPlan]) -> None:
    """Refuse names of models that can be no folders, or under which two would stand.

    Raises:
        UserError: Says which.
    """
    names = [plan.name for plan in plans]
    for name, plan in zip(names, plans, strict=True):
        part, one = f'study.{plan.stage}', MODELS_OF[plan.stage]
        check_folder_name(f'{part}: the name of a {one}', name)
        if names.count(name) > 1:
            raise UserError(
                f'{part}: two {one}s are called {name}, and one could not be told '
                "from the other: give one of them a name='...' of its own."
            )


def check_title(key: str, name: str) -> None:
    """Refuse a name of a study that cannot be that of its folder.

    Raises:
        UserError: Names the key.
    """
    if Path(name).name != name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise UserError(
            f'{key} is {shown(name)}, and becomes a folder: letters, digits, spaces, -, . and _, '
            f'{LONGEST_NAME} at most.'
        )


LONGEST_NAME = 60


def check_untuned(plan: TransferPlan) -> None:
    """Refuse to leave out a fine-tuning that is not there.

    Args:
        plan: Of a detector or segmenter.

    Raises:
        UserError: None of its arms has one.
    """
    if plan.untuned and not any(map(ARMS.may_be_untuned, map(plan.arm, plan.arms))):
        raise UserError(
            f'study.{plan.stage}: untuned=True is for arms with a fine-tuned classifier, and there '
            f'is none among {", ".join(plan.arms)}.'
        )


def _check_given_pruned(plan: ClassificationPlan, detectors: Sequence[Arm]) -> None:
    """Refuse what needs the network that one was pruned from which was pruned elsewhere."""
    key = 'study.classification.pruned'
    if plan.pruned is None:
        if plan.untuned:
            raise UserError(f'study.classification.untuned is of a given network: set {key}.')
        return
    if plan.given_parents or plan.parents or plan.variants or plan.pruners or plan.rounds != 1:
        raise UserError(
            f'{key} is a network that was pruned elsewhere: parent, parents, pruners, variants and '
            'rounds are for studies that prune.'
        )
    arms = [ARMS.get(CLASSIFICATION, name) for name in plan.arms]
    needy = [
        arm.name
        for arm in arms
        if arm.start is Start.INITIAL or _rule_of(plan, arm.name) is BudgetRule.TOTAL
    ]
    needy += [a.name for a in detectors if a.after_detector or not a.pruned]
    if needy:
        raise UserError(
            f'{key}: arm {needy[0]} needs the network that this one was pruned from, which is not '
            'there: leave the arm out.'
        )


_OF_GIVEN = 'is of given networks: set parent, parents or pruned to a file, or leave it out.'

_WAYS_TO_PRUNE = (
    'study.classification needs a pruner, an architecture or a pruned network; or several pruners '
    'by name, pruners=dict(a=..., b=...), or variants by name, '
    'variants=dict(a=dict(pruner=...), ...).'
)


def _check_widths(name: str, plan: ClassificationPlan) -> None:
    """Refuse widths that no other variant finds, or that are not for this one to take."""
    mine, where = plan.of(name), f'study.classification.variants.{name}: widths_of'
    if not mine.widths_of:
        return
    valid = [one for one in plan.variant_names if one != name and not plan.of(one).widths_of]
    if mine.widths_of not in valid:
        known = ', '.join(valid) or 'none'
        raise UserError(f'{where}={mine.widths_of!r} is no other variant; there are {known}.')
    if not issubclass(pruner_class(mine.pruner or {}), PredefinedPruner) or mine.rounds != 1:
        raise UserError(f'{where} is for a pruner that takes a target, and prunes once.')


def _check_pruning(plan: ClassificationPlan) -> None:
    """One way to prune, which makes sense, and arms that can start from it."""
    if len(plan.pruning_settings) != 1:
        raise UserError(_WAYS_TO_PRUNE)
    if plan.architecture is None:
        if plan.pruned is None:
            # Another's widths are known when that has pruned; till then, none go.
            widths = {'ratios': 0} if plan.widths_of else {}
            build_pruner({**(plan.pruner or {}), **widths})
        return
    PrunedArchitecture.load(plan.architecture)
    arms = [ARMS.get(CLASSIFICATION, name) for name in plan.arms]
    needy = next((arm.name for arm in arms if arm.takes_weights), None)
    if needy or plan.rounds != 1:
        raise UserError(
            f'study.classification.architecture has no weights: {needy or "rounds"} needs a pruner.'
        )


def _check_tuning(plan: ClassificationPlan) -> None:
    """Refuse training images of which none can be held out, before a parent was trained."""
    config = load_config(plan.config, plan.options)
    with scope_of(config):
        check_divisible((config.get('train_dataloader') or {}).get('dataset') or {})


def _check_rounds(plan: ClassificationPlan) -> None:
    if not ARMS.get(CLASSIFICATION, plan.round_arm).takes_weights:
        able = [arm.name for arm in ARMS.of(CLASSIFICATION) if arm.takes_weights]
        raise UserError(
            'classification.round_arm must start from weights of the parent, as '
            f'{" and ".join(able)} do; got {plan.round_arm!r}.'
        )
