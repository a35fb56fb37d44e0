"""Studies of detectors alone: what is possible without a config, or data, of the classifier.

A trained network is given, and nothing of it is trained or evaluated. So the arms that are left
are those whose detectors start from it, from what pruning it leaves, or from no weights at all.
"""

from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION, Arm
from rethink_det.errors import UserError
from rethink_det.pruning import build_pruner
from rethink_det.study import ledger
from rethink_det.study.plans import ClassificationPlan
from rethink_det.training.config import load_config

PART = 'study.classification'
OF_A_CONFIG = ('options', 'epochs', 'parent_epochs', 'arm_settings')
"""Keys that say something of a config's training."""


def check_without_config(plan: ClassificationPlan) -> None:
    """Refuse what needs the config of the classifier, where there is none.

    Raises:
        UserError: Names the key and the remedy.
    """
    if plan.base is not None and not plan.given_parents:
        raise UserError(f'{PART}.base says what a given parent is, and none is given (parent=...).')
    if plan.config:
        return
    if not plan.given_parents and plan.architecture is None and not _architectures(plan):
        raise UserError(
            f'{PART} needs the config that the unpruned network is trained by, or '
            "parent='....pth', one that is trained."
        )
    seeds = [parent for parent in plan.parents if isinstance(parent, int)]
    if seeds:
        raise UserError(f'{PART}.parents: {seeds[0]} is to be trained, which needs {PART}.config.')
    said = next((key for key in OF_A_CONFIG if getattr(plan, key)), None)
    if said:
        raise UserError(f'{PART}.{said} is about {PART}.config, which is not there.')
    for variant in map(plan.of, plan.variant_names):
        arm = next((a for a in variant.arms if ARMS.get(CLASSIFICATION, a).pruned), None)
        if arm or variant.rounds != 1:
            what = f'arms: {arm}' if arm else f'rounds={variant.rounds}'
            raise UserError(
                f'{PART}.{what} trains a classifier, which needs {PART}.config; leave it out, and '
                'the study is one of detectors alone.'
            )


def _architectures(plan: ClassificationPlan) -> bool:
    """Whether every variant has its own."""
    return all(plan.of(name).architecture for name in plan.variant_names)


def missing_source(arm: Arm) -> str:
    """Of an arm whose classifier cannot be trained, how that is and what else there is."""
    untuned = ', or untuned=True' if ARMS.may_be_untuned(arm) else ''
    able = [
        a for a in ARMS.of(arm.stage) if a.source in (None, ARMS.reference(CLASSIFICATION).name)
    ]
    return (
        f'is trained by {PART}.config: give one{untuned}, or leave {arm.name} out of '
        f'study.{arm.stage}: arms. Without it there are {", ".join(one.name for one in able)}.'
    )


def check_start(arm: Arm, plan: ClassificationPlan) -> None:
    """Refuse a transfer arm whose start cannot be had, before anything is trained.

    Args:
        arm: Of a detector of the study.
        plan: Of the only variant, or of one.

    Raises:
        UserError: It takes the unpruned network of a study that neither trains nor is given one,
            or a shape that a pruner finds by looking at classification data that are not there.
    """
    reference = ARMS.reference(CLASSIFICATION).name
    if arm.source == reference and not (plan.config or plan.given_parents):
        raise UserError(
            f'Transfer arm {arm.name} needs the unpruned classifier: give {PART}.parent or '
            f'{PART}.config.'
        )
    from_pruning = (arm.source is None and not arm.after_detector) or arm.untuned
    if not from_pruning or plan.architecture is not None or plan.trains:
        return
    if not build_pruner(plan.pruner or {}).looks_at_images:
        return
    missing = _missing_images(plan)
    if missing:
        heirs = [a.name for a in ARMS.of(DETECTION) if a.after_detector and a.pruned]
        raise UserError(
            f'Transfer arm {arm.name} takes what {(plan.pruner or {}).get("type")} leaves of the '
            f'classifier, and that looks at images: {missing}. Take a pruner that looks at weights '
            f'alone, or {" and ".join(heirs)}, whose detector is pruned by its own images.'
        )


def _missing_images(plan: ClassificationPlan) -> str:
    """Why there are no training images of the classifier; empty if there are."""
    if not plan.config:
        return f'there is no {PART}.config'
    if not plan.given_parents:
        return ''  # it is trained on them first
    try:
        ledger.training_images(load_config(plan.config, plan.options))
    except Exception as error:  # whatever keeps a data set from being built
        return str(error)
    return ''
