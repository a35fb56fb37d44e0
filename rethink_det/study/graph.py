"""The runs of a study, and which of them need the results of which."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from itertools import product
from typing import Any

from rethink_det.arms import AFTER_PRUNING, ARMS, CLASSIFICATION, SEGMENTATION, Arm
from rethink_det.pruning.pruner import pruner_class
from rethink_det.study.config import Study
from rethink_det.study.names import joined
from rethink_det.study.nodes import (
    Classifier,
    ClassifierPruning,
    ClassifierTraining,
    DetectorPruning,
    DetectorStart,
    DetectorTraining,
    GivenClassifier,
    GivenPruned,
    Pruning,
    PublishedArchitecture,
    Run,
    SegmenterTraining,
)
from rethink_det.study.plans import ClassificationPlan, TransferPlan
from rethink_det.study.sharing import arms_of, plan_of_run, variant_of_shape


def runs_of(study: Study) -> list[Run]:
    """Every run of a study, parents before children; those that are the same once."""
    wanted = (run for run, _ in _wanted(study))
    return list({run.key: run for one in wanted for run in lineage_of(one)}.values())


def _wanted(study: Study) -> Iterator[tuple[Run, str]]:
    """The runs that are asked for, each with the group that it stands in; the same in several."""
    classification, plans = study.classification, study.transfers
    by_parent = [_Backbones(classification, name) for name in classification.parent_names]
    for one, seed in product(by_parent, study.seeds):
        yield from one.runs(seed)
    for plan, one in product(plans, by_parent):
        for seed, variant in product(study.seeds, classification.variant_names):
            arms = [arm for arm in plan.arms if seed in plan.seeds_of(arm, study.seeds)]
            for arm in map(plan.arm, arms):
                for run in lineage_of(_detector(plans, plan, one, arm, variant, seed)):
                    if isinstance(run, DetectorTraining):
                        yield run, plan.model(variant)


def lineage_of(run: Run) -> Iterator[Run]:
    """A run, after all that it needs; some of it several times."""
    for parent in run.parents.values():
        yield from lineage_of(parent)
    yield run


def models_of(study: Study, run: Run) -> list[str]:
    """The groups of results in which a run stands: what variants or plans share, in each."""
    return groups_of(study)(run)


def groups_of(study: Study) -> Callable[[Run], list[str]]:
    """The same for many runs of a study."""
    names = study.classification.variant_names
    found: dict[str, dict[str, None]] = {}
    for run, model in _wanted(study):
        found.setdefault(run.key, {})[model] = None

    def groups(run: Run) -> list[str]:
        default = [run.model] if run.variant else [joined(run.model, name) for name in names]
        return list(found.get(run.key, default))

    return groups


@dataclass(frozen=True)
class _Backbones:
    """The runs of the ``classification`` part of a study.

    Attributes:
        plan: That part.
        parent: Name of the unpruned network that they descend from; empty where each seed has
            its own.
    """

    plan: ClassificationPlan
    parent: str

    def runs(self, seed: int) -> Iterator[tuple[Run, str]]:
        """Those of a seed with the group that each stands in, without what only others need."""
        for variant in self.plan.variant_names:
            plan = self.plan.of(variant)
            if plan.arms and not plan.pruned:
                yield self.unpruned(seed), self.plan.model(variant)
            for arm, own in arms_of(self.plan, variant).items():
                mine = own.seeds is None or seed in own.seeds
                if mine and ARMS.get(CLASSIFICATION, arm).pruned:
                    yield self.trained(arm, variant, seed), self.plan.model(variant)

    def of_arm(self, arm: str, variant: str, seed: int) -> Classifier:
        """The classifier that an arm ends in."""
        if ARMS.get(CLASSIFICATION, arm).pruned:
            return self.trained(arm, variant, seed)
        return self.unpruned(seed)

    def unpruned(self, seed: int) -> Classifier:
        """The network that is pruned: trained, or given."""
        arm, plan = ARMS.reference(CLASSIFICATION).name, self.plan
        source = plan.named_parents.get(self.parent, plan.parent or seed)
        if self.parent:  # one for all seeds; nothing in a given one is random
            seed = source if isinstance(source, int) else 0
        common = self.common(plan, seed, epochs=plan.epochs)
        common |= {'arm': arm, 'reference': plan.reference.get(arm)}
        if isinstance(source, str):
            common |= {'evaluated': plan.evaluated, 'compared': plan.trains}
            common |= {'base': plan.base, 'trained_epochs': plan.parent_epochs}
            return GivenClassifier(checkpoint=source, ema=plan.ema, **common)
        return ClassifierTraining(together=plan.together, **common)

    def trained(self, arm: str, variant: str, seed: int, number: int = 0) -> Classifier:
        """The training of a pruned network, after the pruning of a round or the last."""
        variant = variant_of_shape(self.plan, variant, ARMS.get(CLASSIFICATION, arm))
        plan = self.plan.of(variant)
        if plan.gives(arm):
            return self.given(plan, arm)
        return ClassifierTraining(
            arm=arm,
            settings=plan.settings_of(arm),
            pruned=self.pruned(variant, seed, number),
            reference=None if number else plan.reference.get(arm),
            together=plan.together,
            **self.common(plan, seed, variant=variant, round=number, epochs=plan.epochs),
        )

    def pruned(self, variant: str, seed: int, number: int = 0) -> Pruning:
        """Pruning in a round; 0 is the last, whose result the arms train."""
        plan = self.plan.of(variant)
        common = self.common(plan, seed, arm=AFTER_PRUNING, variant=variant, round=number)
        if plan.pruned is not None:
            return self.given_pruned(plan)
        if plan.architecture is not None:
            return PublishedArchitecture(architecture=plan.architecture, **common)
        trained = unpruned = self.unpruned(seed)
        before = (number or plan.rounds) - 1
        if before:
            trained = self.trained(plan.round_arm, variant, seed, before)
        widths = self.pruned(plan.widths_of, seed) if plan.widths_of else None
        return ClassifierPruning(
            pruner=_pruner(plan, seed), trained=trained, unpruned=unpruned, widths=widths, **common
        )

    def given_pruned(self, plan: ClassificationPlan) -> GivenPruned:
        """The network that was pruned elsewhere: one for all seeds."""
        common = self.common(plan, 0, arm=AFTER_PRUNING, ema=plan.ema)
        return GivenPruned(checkpoint=plan.pruned or '', tuned=not plan.untuned, **common)

    def given(self, plan: ClassificationPlan, arm: str) -> GivenClassifier:
        """The same as an arm's trained network."""
        pruned = self.given_pruned(plan)
        common = self.common(plan, 0, arm=arm, reference=plan.reference.get(arm), ema=plan.ema)
        return GivenClassifier(checkpoint=pruned.checkpoint, pruned=pruned, **common)

    def detector(
        self, plan: TransferPlan, arm: Arm, start: DetectorStart, seed: int
    ) -> DetectorTraining:
        """The training of a detector or segmenter by a transfer arm, from ``start``."""
        kind = SegmenterTraining if plan.stage == SEGMENTATION else DetectorTraining
        return kind(
            arm=arm.name,
            start=start,
            data_root=plan.data_root,
            untuned=arm.untuned,
            settings=replace(plan.settings_of(arm.name), equal_to=plan.equal_to(arm)),
            reference=plan.reference.get(joined(start.variant, arm.name)),
            **self.common(plan, seed, name=plan.name, variant=start.variant, epochs=plan.epochs),
        )

    def detector_pruned(
        self, plan: TransferPlan, trained: DetectorTraining, variant: str, seed: int
    ) -> DetectorPruning:
        """The pruning of a detector that was trained with the unpruned backbone."""
        mine, widths = self.plan.of(variant), None
        if mine.widths_of:
            found = self.plan.of(mine.widths_of)
            widths = (
                self.pruned(mine.widths_of, seed)
                if found.pruner is None
                else self.detector_pruned(plan, trained, mine.widths_of, seed)
            )
        return DetectorPruning(
            pruner=_pruner(mine, seed),
            trained=trained,
            classifier=self.unpruned(seed),
            data_root=plan.data_root,
            widths=widths,
            **self.common(plan, seed, arm=AFTER_PRUNING, name=plan.name, variant=variant),
        )

    def common(
        self, plan: ClassificationPlan | TransferPlan, seed: int, **more: Any
    ) -> dict[str, Any]:
        """Fields of a run that follow from its plan."""
        mine = {'seed': seed, 'parent': self.parent, 'name': plan.name}
        return {**mine, 'config': plan.config, 'options': plan.options, **more}


def _detector(
    plans: Sequence[TransferPlan],
    plan: TransferPlan,
    backbones: _Backbones,
    arm: Arm,
    variant: str,
    seed: int,
) -> DetectorTraining:
    """The training of a transfer arm, by the first of the plans and variants that have it."""

    def train(arm: Arm, start: DetectorStart) -> DetectorTraining:
        return backbones.detector(plan_of_run(plans, plan, arm), arm, start, seed)

    variant = variant_of_shape(backbones.plan, variant, arm)
    if arm.after_detector:
        reference = ARMS.reference(plan.stage)
        trained = train(reference, backbones.of_arm(reference.source or '', variant, seed))
        if not arm.pruned:
            return train(arm, trained)
        first = plan_of_run(plans, plan, reference)  # whose detector it is
        return train(arm, backbones.detector_pruned(first, trained, variant, seed))
    if arm.source is None or arm.untuned:
        return train(arm, backbones.pruned(variant, seed))
    return train(arm, backbones.of_arm(arm.source, variant, seed))


def _pruner(plan: ClassificationPlan, seed: int) -> Mapping[str, Any]:
    """The pruner of a variant; each seed of a control draws anew."""
    said = plan.pruner or {}
    draws = plan.widths_of and 'seed' in signature(pruner_class(said)).parameters
    return {'seed': seed, **said} if draws else said
