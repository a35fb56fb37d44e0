"""The variants that a study adds to what its config names: operating points, and their controls.

``ratios`` makes one variant of a pruner a ratio: a curve. ``controls`` puts beside a method those
that prune the same parents to the widths that it found, at random and by L1 norm. What they inherit
tells the method's choice of channels from the widths alone. Nothing that is trained without
inherited weights depends on that choice, so such arms are the method's own.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rethink_det.arms import ARMS, CLASSIFICATION
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.errors import UserError
from rethink_det.pruning import ImportancePruner, Pruner, build_pruner
from rethink_det.pruning.cost_goal import QUANTITIES
from rethink_det.pruning.pruner import pruner_class
from rethink_det.study.plans import ClassificationPlan
from rethink_det.training.config import load_config

WHERE = 'study.classification'
CONTROLS = ('RandomPruner', 'L1NormPruner')
"""What a method is compared with at equal widths."""


def expanded(plan: ClassificationPlan) -> ClassificationPlan:
    """The plan with every variant that its ratios and controls stand for.

    A variant of a ratio is called ``'l1norm-0.3'``, its controls ``'l1norm-0.3-random'`` and so on.
    A study's only pruner goes by its type, ``'l1norm'``.

    Raises:
        UserError: A pruner has no ratio, or has said it already; a control makes no sense.
    """
    own = [one.get('controls', False) for one in plan.variants.values()]
    if not (plan.ratios or any((plan.controls, *own))):
        return plan
    plan = _with_ratios(plan) if plan.ratios else plan
    asked = any(plan.of(name).controls for name in plan.variant_names)
    return _with_controls(plan) if asked else plan


def _with_ratios(plan: ClassificationPlan) -> ClassificationPlan:
    ratios = plan.ratios
    variants = {
        f'{name}-{ratio:g}': {**own, 'pruner': _at(ratio, own.get('pruner'), name)}
        for name, own in _methods(plan).items()
        for ratio in ratios
    }
    if len(variants) < len(_methods(plan)) * len(ratios):
        raise UserError(f'{WHERE}.ratios: one of {ratios!r} stands there twice.')
    return replace(plan, pruner=None, pruners={}, variants=variants, ratios=())


def _at(ratio: float, pruner: Mapping | None, name: str) -> dict[str, Any]:
    """A pruner that removes a share."""
    if pruner is None:
        raise UserError(f'{WHERE}.ratios: {name or "the study"} has no pruner, and so no ratio.')
    kind = pruner_class(pruner)
    known = (kind.dial, 'target', *QUANTITIES)
    said = next((key for key in known if key in pruner), None)
    if said:
        raise UserError(f'{WHERE}.ratios: {name} says {said} already: leave one of them out.')
    if kind.dial is None:
        raise UserError(f'{WHERE}.ratios: {kind.__name__} ({name}) has no ratio to set.')
    return {**pruner, **kind.turned(ratio)}


def _methods(plan: ClassificationPlan) -> dict[str, dict[str, Any]]:
    """What each variant has of its own, the only pruner by the name of its type."""
    if plan.variant_names == ('',):
        name = '' if plan.pruner is None else _short(pruner_class(plan.pruner).__name__)
        return {name: plan.pruning_settings}
    found = {name: dict(plan.variants.get(name, {})) for name in plan.variant_names}
    for name, pruner in plan.pruners.items():
        found[name].setdefault('pruner', pruner)
    return found


def _short(kind: str) -> str:
    return kind.removesuffix('Pruner').lower()


def _with_controls(plan: ClassificationPlan) -> ClassificationPlan:
    methods = _methods(plan)
    named = replace(plan, pruner=None, pruners={}, variants=methods) if any(methods) else plan
    known = {_same(named, name) for name in methods}
    variants: dict[str, dict[str, Any]] = {}
    for name, own in methods.items():
        variants[name] = own
        method = named.of(name)
        if method.controls and not method.widths_of:
            for kind in _kinds(method, name, known):
                inheriting = [one.said for arm, one in method.arm_plans.items() if _inherits(arm)]
                settings = {key: own[key] for key in ('arm_settings',) if key in own}
                variants[f'{name}-{_short(kind)}'] = {
                    **settings, 'pruner': {'type': kind}, 'widths_of': name, 'arms': inheriting
                }  # fmt: skip
    if len(variants) == len(methods):
        raise UserError(
            f'{WHERE}: controls=True adds nothing: of {", ".join(methods) or "the study"} no arm '
            'inherits weights, or what would stand beside it is there already.'
        )
    return replace(named, variants=variants)


def _inherits(arm: str) -> bool:
    return ARMS.inherits(ARMS.get(CLASSIFICATION, arm))


def _kinds(method: ClassificationPlan, name: str, known: set[Hashable]) -> Iterator[str]:
    """The types of a method's controls, but for those that the study has already."""
    if method.pruner is None or not any(map(_inherits, method.arms)):
        return
    pruner = _checked(method, name)
    for kind in CONTROLS:
        same = (kind, _widths(pruner, name))
        if same not in known:
            known.add(same)
            yield kind


def _checked(method: ClassificationPlan, name: str) -> Pruner:
    """The pruner of a method whose widths others can be given.

    Raises:
        UserError: It prunes otherwise, or in rounds.
    """
    pruner = build_pruner(method.pruner or {})
    config = load_config(method.config, method.options)
    words = pruner.beside_widths(classifier_architecture(config))
    remedy = 'leave controls out, or say controls=False in its variant'
    if words:
        raise UserError(
            f'{WHERE}: controls=True prunes to equal widths, and {type(pruner).__name__} ({name}) '
            f'{words}: {remedy}.'
        )
    if method.rounds != 1:
        raise UserError(
            f'{WHERE}: controls=True prunes once, and {name} in {method.rounds} rounds with a '
            f'training after each: it would have had more of it; {remedy}.'
        )
    return pruner


def _same(plan: ClassificationPlan, name: str) -> Hashable:
    """What two variants share that keep the same channels of every parent."""
    method = plan.of(name)
    if method.pruner is None or method.widths_of or method.rounds != 1:
        return None
    pruner = build_pruner(method.pruner)
    return _criterion(pruner, method.pruner), _widths(pruner, name)


def _criterion(pruner: Pruner, said: Mapping) -> str:
    """The type, by whatever name the same filters are ranked alike."""
    first = said.get('group_reduction', 'first') == 'first'
    if isinstance(pruner, ImportancePruner) and said.get('importance') == 'l1' and first:
        return 'L1NormPruner'
    return type(pruner).__name__


def _widths(pruner: Pruner, name: str) -> Hashable:
    """What the widths follow from: of a predefined pruner its target, else the method's own."""
    follows = pruner.widths_follow_from
    return name if follows is None else follows
