"""The config of a study: its schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION
from rethink_det.bounds import MOST_SEED
from rethink_det.detection.datasets.data_root import detector_base
from rethink_det.detection.evaluation.evaluators import metric_names
from rethink_det.errors import UserError
from rethink_det.report.comparison import Comparison
from rethink_det.report.schema import read_values, said_as, within
from rethink_det.report.statistics import METRICS, judged_metrics
from rethink_det.study.checks import (
    check_names,
    check_parents_of,
    check_seeds,
    check_title,
    check_transfer,
    check_untuned,
    check_variants,
)
from rethink_det.study.claims import margins, primary_comparison
from rethink_det.study.names import find_study
from rethink_det.study.part import read_classification, read_part
from rethink_det.study.plans import (
    ClassificationPlan,
    DetectionPlan,
    SegmentationPlan,
    TransferPlan,
)
from rethink_det.study.sharing import arms_of
from rethink_det.study.without_classification import check_without_config
from rethink_det.training.config import load_config


@dataclass(frozen=True)
class Study:
    """A study config, read and checked.

    Attributes:
        name: Short name; default: that of the file.
        title: One line for the report.
        description: What is asked, for the report.
        seeds: Seeds of the repetitions.
        classification: Where the backbones come from.
        detection: The detectors that they go into.
        segmentation: The segmenters that they go into.
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
    seeds: tuple[int, ...] = field(metadata=within(0, MOST_SEED))
    classification: ClassificationPlan = field(metadata=said_as(Mapping))
    detection: tuple[DetectionPlan, ...] = field(default=(), metadata=said_as(Sequence[Mapping]))
    segmentation: tuple[SegmentationPlan, ...] = field(
        default=(), metadata=said_as(Sequence[Mapping])
    )
    primary: Comparison | None = field(default=None, metadata=said_as(Mapping | None))
    margin: Mapping[str, float] = field(
        default_factory=dict, metadata=said_as(float | Mapping[str, float] | None)
    )
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
        try:
            return cls.from_parts({'name': path.stem, **data}, path)
        except UserError as error:
            words = str(error)
            raise UserError(words if str(path) in words else f'{path}: {words}') from error

    @classmethod
    def from_parts(cls, data: Mapping[str, Any], path: Path) -> 'Study':
        """A study of what would stand in a config file.

        Args:
            data: The dict ``study``, with its ``name``.
            path: For messages; the configs it names are relative to its folder.

        Raises:
            UserError: As of :meth:`load`.
        """
        said = read_values(cls, data, str(path), 'study')
        check_title(f'{path}: study.name', said['name'])
        named, margin = said.pop('primary', None) or {}, said.pop('margin', None)
        said['classification'] = read_classification(said['classification'], path)
        for kind in (DetectionPlan, SegmentationPlan):
            said[kind.stage] = tuple(
                read_part(kind, one, path, f'study.{kind.stage}[{number}]')
                for number, one in enumerate(said.get(kind.stage, ()))
            )
        study = cls(**said)
        study._check()
        stages = {stage: None for stage, _ in study.trained_arms}
        primary = study.primary_comparison(named)
        return replace(study, primary=primary if named else None, margin=margins(margin, stages))

    @property
    def transfers(self) -> tuple[TransferPlan, ...]:
        """All that backbones go into."""
        return (*self.detection, *self.segmentation)

    @property
    def trained_arms(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Names of the arms that it trains, by stage and model, in the order of the config."""
        found: dict[tuple[str, str], dict[str, None]] = {}
        for name in self.classification.variant_names:
            own = self.classification.of(name)
            arms = arms_of(self.classification, name)
            trained = [arm for arm in arms if ARMS.get(CLASSIFICATION, arm).pruned]
            whole = [] if own.pruned else [ARMS.reference(CLASSIFICATION).name]
            if own.arms:
                place = CLASSIFICATION, self.classification.model(name)
                found[place] = dict.fromkeys([*whole, *trained])
        for plan, name in product(self.transfers, self.classification.variant_names):
            mine = found.setdefault((plan.stage, plan.model(name)), {})
            after = any(plan.arm(arm).after_detector for arm in plan.arms)
            needed = [ARMS.reference(plan.stage).name] if after else []
            mine |= dict.fromkeys([*needed, *plan.arms])
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
        if stage != DETECTION:
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
        for transfer in self.transfers:
            load_config(transfer.config, transfer.options)
        check_seeds('study.seeds', self.seeds)
        arms = [plan.arm(arm) for plan in self.transfers for arm in plan.arms]
        check_parents_of(self.classification, arms)
        check_without_config(self.classification)
        check_variants(self.classification)
        self._check_seeds()
        for plan in self.transfers:
            for arm in map(plan.arm, plan.arms):
                check_transfer(self.classification, arm)
            check_untuned(plan)
        for plans in (self.detection, self.segmentation):
            check_names(plans)

    def _check_seeds(self) -> None:
        """Refuse seeds that the study has not."""
        classifiers = map(self.classification.of, self.classification.variant_names)
        own: list[tuple[str, Sequence[int] | None]]
        own = [(CLASSIFICATION, a.seeds) for plan in classifiers for a in plan.arm_plans.values()]
        for plan in self.transfers:
            own += [(plan.stage, seeds) for seeds in (plan.seeds, *_own_seeds(plan))]
        for stage, seeds in own:
            strangers = set(seeds or ()) - set(self.seeds)
            if strangers:
                raise UserError(f'study.{stage}: seeds {sorted(strangers)} are not study.seeds.')


def _own_seeds(plan: TransferPlan) -> list[Sequence[int] | None]:
    return [one.seeds for one in plan.arm_plans.values()]
