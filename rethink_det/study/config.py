"""The config of a study: its schema, and what is checked before anything runs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION, Arm, BudgetRule, Start
from rethink_det.classification.arm_config import ArmSettings, budget_rule
from rethink_det.datasets.held_out import check_divisible
from rethink_det.detection.datasets.data_root import detector_base
from rethink_det.detection.evaluation.evaluators import metric_names
from rethink_det.errors import UserError
from rethink_det.pruning import PredefinedPruner, build_pruner
from rethink_det.pruning.pruner import pruner_class
from rethink_det.registered import scope_of
from rethink_det.report.comparison import Comparison
from rethink_det.report.statistics import METRICS, judged_metrics
from rethink_det.study.claims import margins, primary_comparison
from rethink_det.study.names import find_study
from rethink_det.study.parents import KEY, check_parent_epochs, check_parents
from rethink_det.study.part import read_classification, read_part
from rethink_det.study.plans import VARIANT_KEYS, ClassificationPlan, DetectionPlan
from rethink_det.study.sharing import arms_of, followed
from rethink_det.study.without_classification import (
    check_start,
    check_without_config,
    missing_source,
)
from rethink_det.training.config import known_fields, load_config


@dataclass(frozen=True)
class Study:
    """A study config, read and checked.

    Attributes:
        name: Short name, by the file.
        title: One line for the report.
        description: What is asked, for the report.
        seeds: Seeds of the repetitions.
        classification: Where the backbones come from.
        detection: Where they go.
        primary: The comparison that the config names, see :meth:`primary_comparison`.
        margin: By metric, in its own unit: the largest difference that does not matter.

    Example:
        >>> from rethink_det import Study
        >>> study = Study.load('demo', {'study.seeds': [0]})
        >>> list(study.detection[0].arms)
        ['prune-c', 'scratch-b', 'random']
        >>> from rethink_det.study import runs_of
        >>> runs_of(study)[0].key
        'classification/resnet18-w16_shapes/unpruned/seed0'
    """

    name: str
    seeds: tuple[int, ...]
    classification: ClassificationPlan
    detection: tuple[DetectionPlan, ...] = ()
    primary: Comparison | None = None
    margin: Mapping[str, float] = field(default_factory=dict)
    title: str = ''
    description: str = ''

    @classmethod
    def load(
        cls, path: str | Path, options: Mapping | None = None, variants: Sequence[str] = ()
    ) -> 'Study':
        """Read ``study = dict(...)`` from a config file.

        Args:
            path: The study config, or what :func:`~rethink_det.study.names.find_study` takes: a
                shipped study by its name, one of its variants by that of the two. Configs it
                names are relative to its folder.
            options: Keys set to other values, dotted, as ``--cfg-options``.
            variants: Only these of its variants; default: all.

        Raises:
            UserError: Unknown or missing key, unknown arm or pruner option, missing config,
                unknown variant.
        """
        path, named = find_study(str(path), options)
        study = cls._read(Path(path), options)
        for names in (named, variants):
            study = study.restricted(names) if names else study
        return study

    @classmethod
    def _read(cls, path: Path, options: Mapping | None) -> 'Study':
        config = load_config(path)
        for key in options or {}:
            if key.split('.')[0] != 'study':
                raise UserError(f'{path}: unknown key {key!r}; keys of a study start with study.')
        config.merge_from_dict(dict(options or {}))
        data = config.get('study')
        if not isinstance(data, Mapping):
            raise UserError(f'{path} is no study: it needs study = dict(...).')
        data = Config({'study': data}).to_dict()['study']
        return cls.from_parts({'name': path.stem, **data}, path)

    @classmethod
    def from_parts(cls, data: Mapping[str, Any], path: Path) -> 'Study':
        """A study of what would stand in a config file.

        Args:
            data: The dict ``study``, with its ``name``.
            path: For messages; the configs it names are relative to its folder.

        Raises:
            UserError: As of :meth:`load`.
        """
        data = dict(data)
        parts = {
            'classification': read_classification(data.get('classification'), path),
            'detection': tuple(
                read_part(DetectionPlan, p, path) for p in data.get('detection', ())
            ),
        }
        named, margin = data.pop('primary', {}), data.pop('margin', None)
        study = read_part(cls, {**data, **parts}, path)
        study._check()
        stages = {stage: None for stage, _ in study.trained_arms}
        primary = study.primary_comparison(named)
        return replace(study, primary=primary if named else None, margin=margins(margin, stages))

    @property
    def trained_arms(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Names of the arms that it trains, by stage and model, in the order of the config."""
        found: dict[tuple[str, str], dict[str, None]] = {}
        for name in self.classification.variant_names:
            plan = self.classification.of(name)
            arms = arms_of(self.classification, name)
            trained = [arm for arm in arms if ARMS.get(CLASSIFICATION, arm).pruned]
            whole = [] if plan.pruned else [ARMS.reference(CLASSIFICATION).name]
            if plan.arms:
                place = CLASSIFICATION, self.classification.model(name)
                found[place] = dict.fromkeys([*whole, *trained])
        for detector, name in product(self.detection, self.classification.variant_names):
            mine = found.setdefault((DETECTION, detector.model(name)), {})
            after = any(detector.arm(arm).after_detector for arm in detector.arms)
            needed = [ARMS.reference(DETECTION).name] if after else []
            mine |= dict.fromkeys([*needed, *detector.arms])
        return {place: tuple(arms) for place, arms in found.items()}

    def primary_comparison(self, named: Any = None) -> Comparison | None:
        """The comparison that is tested first; None if there are no two arms to compare.

        Of a study that was restricted to some variants it may be one that these do not make.

        Args:
            named: ``study.primary`` of the config; default: what was read from it.

        Raises:
            UserError: It names what the study does not train.
        """
        if not named and self.primary:
            return self.primary
        return primary_comparison(named or {}, self.trained_arms, self.metric_of)

    def metric_of(self, stage: str, model: str) -> str:
        """The first of :meth:`metrics_of`: the model's primary metric."""
        return self.metrics_of(stage, model)[0]

    def metrics_of(self, stage: str, model: str) -> tuple[str, ...]:
        """The metrics that the model is judged by, of those by which its config evaluates it."""
        first = next(iter(METRICS[stage]))
        if stage == CLASSIFICATION:
            return (first,)
        names = self.classification.variant_names
        plan = next(
            plan for plan in self.detection if model in [plan.model(name) for name in names]
        )
        evaluated = metric_names(detector_base(plan.config, plan.options, plan.data_root))
        return judged_metrics(stage, evaluated) or (first,)

    def restricted(self, variants: Sequence[str]) -> 'Study':
        """The same study with these of its variants only. The parents stay the same runs.

        Raises:
            UserError: The study has no such variant.
        """
        valid = [name for name in self.classification.variant_names if name]
        unknown = next((name for name in variants if name not in valid), None)
        if unknown is not None:
            known = f'its variants are {", ".join(valid)}' if valid else 'it has none'
            raise UserError(f'Study {self.name} has no variant {unknown!r}; {known}.')
        for name in variants:
            found = self.classification.of(name).widths_of
            if found and found not in variants:
                raise UserError(f'Variant {name} has the widths of {found}: name both.')
        chosen = ', '.join(name for name in valid if name in variants)
        return replace(
            self,
            classification=self.classification.restricted(variants),
            title=f'{self.title or self.name}: {chosen}',
        )

    def _check(self) -> None:
        if self.classification.config:
            load_config(self.classification.config, self.classification.options)
        for detector in self.detection:
            load_config(detector.config, detector.options)
        if not self.seeds or not all(isinstance(seed, int) for seed in self.seeds):
            raise UserError(f'study.seeds must be a list of whole numbers, got {self.seeds}.')
        self._check_parents()
        check_without_config(self.classification)
        self._check_variants()
        self._check_seeds()
        for plan in self.detection:
            for arm in map(plan.arm, plan.arms):
                self._check_transfer(arm)
            _check_untuned(plan)
        self._check_names()

    def _check_seeds(self) -> None:
        """Refuse seeds that the study has not."""
        classifiers = map(self.classification.of, self.classification.variant_names)
        own: list[tuple[str, Sequence[int] | None]]
        own = [(CLASSIFICATION, a.seeds) for plan in classifiers for a in plan.arm_plans.values()]
        for plan in self.detection:
            own += [(DETECTION, seeds) for seeds in (plan.seeds, *_own_seeds(plan))]
        for stage, seeds in own:
            strangers = set(seeds or ()) - set(self.seeds)
            if strangers:
                raise UserError(f'study.{stage}: seeds {sorted(strangers)} are not study.seeds.')

    def _check_names(self) -> None:
        """Refuse two detectors whose results would stand under one name."""
        names = [plan.name for plan in self.detection]
        for plan in self.detection:
            if not re.fullmatch(r'[\w.-]+', plan.name):
                raise UserError(
                    f'study.detection: {plan.name!r} is no name for a detector, which becomes a '
                    'folder: letters, digits, -, . and _.'
                )
            if names.count(plan.name) > 1:
                raise UserError(
                    f'study.detection: two detectors are called {plan.name}, and one could not be '
                    "told from the other: give one of them a name='...' of its own."
                )

    def _check_parents(self) -> None:
        plan = self.classification
        check_parents(plan.parents)
        _check_given_pruned(plan, [one.arm(arm) for one in self.detection for arm in one.arms])
        if plan.parents and plan.parent:
            raise UserError(f'{KEY} is in place of parent={plan.parent!r}: leave one of them out.')
        if plan.parents and any(plan.of(name).architecture for name in plan.variant_names):
            raise UserError(f'{KEY}: a published architecture has no parent; it needs a pruner.')
        check_parent_epochs(plan.parent_epochs, plan.given_parents)

    def _check_transfer(self, arm: Arm) -> None:
        always = (None, ARMS.reference(CLASSIFICATION).name)
        for plan in map(self.classification.of, self.classification.variant_names):
            if followed(plan, arm):
                continue
            if arm.source not in (*always, *plan.arms) and not arm.untuned:
                left = 'the study leaves out.' if plan.config else missing_source(arm)
                raise UserError(
                    f'Transfer arm {arm.name} needs the classification arm {arm.source}, which '
                    f'{left}'
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

    def _check_variants(self) -> None:
        plan = self.classification
        if plan.pruning_settings and plan.variant_names != ('',):
            raise UserError(_WAYS_TO_PRUNE)
        for name in filter(None, plan.variant_names):
            if not re.fullmatch(r'[\w.-]+', name) or name in ARMS.names(CLASSIFICATION):
                raise UserError(
                    f'study.classification: {name!r} is no name for a variant, which becomes a '
                    'folder: letters, digits, - and _, and not the name of an arm.'
                )
            _check_own(name, plan.variants.get(name, {}))
            _check_widths(name, plan)
        for variant in map(plan.of, plan.variant_names):
            self._check_settings(variant)
            _check_pruning(variant)
            _check_rounds(variant)

    def _check_settings(self, plan: ClassificationPlan) -> None:
        settings = ArmSettings(**known_fields(ArmSettings, plan.arm_settings, 'arm_settings'))
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


def _own_seeds(plan: DetectionPlan) -> list[Sequence[int] | None]:
    return [one.seeds for one in plan.arm_plans.values()]


def _check_untuned(plan: DetectionPlan) -> None:
    """Refuse to leave out a fine-tuning that is not there."""
    if plan.untuned and not any(map(ARMS.may_be_untuned, map(plan.arm, plan.arms))):
        raise UserError(
            'study.detection: untuned=True is for arms with a fine-tuned classifier, and there '
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


_WAYS_TO_PRUNE = (
    'study.classification needs a pruner, an architecture or a pruned network; or several pruners '
    'by name, pruners=dict(a=..., b=...), or variants by name, '
    'variants=dict(a=dict(pruner=...), ...).'
)


def _check_own(name: str, own: Any) -> None:
    """Refuse what a variant cannot have of its own."""
    where = f'study.classification.variants.{name}'
    if not isinstance(own, Mapping):
        raise UserError(f'{where} must be a dict, got {own!r}.')
    unknown = next((key for key in own if key not in VARIANT_KEYS), None)
    if unknown is not None:
        valid = ', '.join(VARIANT_KEYS)
        raise UserError(f'{where}: {unknown!r} is not for a variant to say; valid are {valid}.')


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
    if not isinstance(plan.rounds, int) or plan.rounds < 1:
        raise UserError(f'classification.rounds must be at least 1, got {plan.rounds!r}.')
    if not ARMS.get(CLASSIFICATION, plan.round_arm).takes_weights:
        able = [arm.name for arm in ARMS.of(CLASSIFICATION) if arm.takes_weights]
        raise UserError(
            'classification.round_arm must start from weights of the parent, as '
            f'{" and ".join(able)} do; got {plan.round_arm!r}.'
        )
