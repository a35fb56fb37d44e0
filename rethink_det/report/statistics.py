"""What the runs of a study came to, arm by arm: means and spreads."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from math import isfinite
from statistics import fmean, stdev
from typing import Any, Protocol

from rethink_det.arms import ARMS, STAGES
from rethink_det.errors import UserError

MINUS = '\N{MINUS SIGN}'


@dataclass(frozen=True)
class Metric:
    """How a metric is shown: its name, factor to points (percent), decimals, unit; what it is of.

    Of several that are of the same, the first that a model has is judged.
    """

    name: str
    scale: float
    decimals: int
    unit: str
    of: str = ''

    @property
    def label(self) -> str:
        """Name and unit: ``Top-1, %``, or the name alone where it is the unit."""
        return self.name if self.unit in self.name else f'{self.name}, {self.unit}'

    def text(self, value: float | None, signed: bool = False) -> str:
        """``value`` (in the metric's own units) as points; a dash for none."""
        if value is None:
            return '–'
        points = round(value * self.scale, self.decimals) + 0.0  # + 0.0: no "-0.0"
        return f'{points:{"+" if signed else ""}.{self.decimals}f}'.replace('-', MINUS)


# Shown in this order; the first one that the runs have is the stage's primary metric.
METRICS = {
    'classification': {'accuracy/top1': Metric('Top-1', 1.0, 2, '%', 'images')},
    'detection': {
        'coco/bbox_mAP': Metric('Box AP', 100.0, 1, 'AP', 'boxes'),
        'coco/segm_mAP': Metric('Mask AP', 100.0, 1, 'AP', 'masks'),
        'pascal_voc/mAP': Metric('VOC AP', 100.0, 1, 'AP', 'boxes'),
    },
    'segmentation': {'mIoU': Metric('mIoU', 1.0, 2, '%', 'pixels')},
}


def judged_metrics(stage: str, present: Container[str]) -> tuple[str, ...]:
    """The metrics that verdicts are given by, the primary one first: boxes and masks have theirs.

    Args:
        stage: Of a model.
        present: Names of the metrics that it has.
    """
    first: dict[str, str] = {}
    for name, metric in METRICS[stage].items():
        if name in present:
            first.setdefault(metric.of, name)
    return tuple(first.values())


class OfArm(Protocol):
    """What has a place in the order of stages, models and arms: a run, a row."""

    @property
    def stage(self) -> str:
        """One of ``STAGES``."""

    @property
    def model(self) -> str:
        """What was trained."""

    @property
    def arm(self) -> str:
        """Name of the arm."""


class Run(OfArm, Protocol):
    """What a run must tell to be counted (``results.RunResult`` does)."""

    @property
    def seed(self) -> int:
        """Of everything random in it."""

    @property
    def repetition(self) -> int | str:
        """The seed, or parent and seed: what no other run of the arm has."""

    @property
    def status(self) -> str:
        """Only ``'completed'`` counts."""

    @property
    def network(self) -> str | None:
        """What runs that ended in the same network share; None if unknown."""

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """In their own units; None for one not finite."""


@dataclass(frozen=True)
class Row:
    """One arm's metric over its completed runs.

    Attributes:
        stage: Of the model.
        model: Its name.
        arm: Name of the arm.
        metric: By its name in the runs.
        n: How many networks: runs that ended in the same one, as a given one is, count once.
        mean: Of the metric over these, in its own unit.
        std: The sample's standard deviation (ddof=1); None with one network.
        values: The metric by the run's repetition.
        excluded_seeds: Repetitions that completed without a finite value of it.
    """

    stage: str
    model: str
    arm: str
    metric: str
    n: int
    mean: float
    std: float | None
    values: dict[int | str, float]
    excluded_seeds: tuple[int | str, ...]


def by_arm(run: OfArm) -> tuple[int, str]:
    """Sort key of runs and rows: the arms' order (:mod:`rethink_det.arms`)."""
    return ARMS.rank(run.stage, run.arm)


def groups(runs: Iterable[OfArm]) -> list[tuple[str, str]]:
    """The (stage, model) pairs among ``runs`` or rows: classification first, then by name."""
    return sorted({(run.stage, run.model) for run in runs}, key=lambda g: (STAGES.index(g[0]), g))


def primary_metric(rows: Iterable[Row], stage: str, model: str) -> str | None:
    """The metric that the verdict of (stage, model) rests on; None if the rows have none."""
    present = {row.metric for row in rows if (row.stage, row.model) == (stage, model)}
    return next((name for name in METRICS[stage] if name in present), None)


Cells = Mapping[tuple[str, str, str], Mapping[int | str, Run]]
"""Completed runs by stage, model and arm, and each by its repetition."""


def runs_by_arm(runs: Iterable[Run]) -> Cells:
    """The completed runs, those of an arm together.

    Raises:
        UserError: a stage is unknown, or two completed runs claim the same stage, model, arm,
            parent and seed.
    """
    cells: dict[tuple[str, str, str], dict[int | str, Run]] = {}
    for run in runs:
        if run.status != 'completed':
            continue
        if run.stage not in STAGES:
            raise UserError(f'stage {run.stage!r} is none of {", ".join(STAGES)}')
        cell = cells.setdefault((run.stage, run.model, run.arm), {})
        if run.repetition in cell:
            raise UserError(
                f'two completed runs are {run.stage} / {run.model} / {run.arm} / seed '
                f'{run.repetition}: give their models different names, or drop one of them'
            )
        cell[run.repetition] = run
    return cells


def summarise(runs: Iterable[Run]) -> list[Row]:
    """One row per (stage, model, arm, metric) over the completed runs, arms in fixed order.

    Raises:
        UserError: As of :func:`runs_by_arm`.
    """
    cells, rows = runs_by_arm(runs), []
    for stage, model in groups(run for cell in cells.values() for run in cell.values()):
        arms = [key[2] for key in cells if key[:2] == (stage, model)]
        arms.sort(key=partial(ARMS.rank, stage))
        seeds_of = {arm: cells[stage, model, arm] for arm in arms}
        metrics = {m for cell in seeds_of.values() for run in cell.values() for m in run.metrics}
        for metric in sorted(metrics):
            rows += _metric_rows(stage, model, metric, seeds_of)
    return rows


def _metric_rows(
    stage: str, model: str, metric: str, seeds_of: Mapping[str, Mapping[Any, Run]]
) -> list[Row]:
    """The rows of one metric: every arm that has a finite value of it."""
    rows = []
    for arm, cell in seeds_of.items():
        got = {seed: cell[seed].metrics.get(metric) for seed in sorted(cell, key=_natural)}
        values = {s: float(v) for s, v in got.items() if v is not None and isfinite(v)}
        if not values:
            continue
        networks = {(cell[seed].network or seed, value): value for seed, value in values.items()}
        each = list(networks.values())
        std = stdev(each) if len(each) > 1 else None
        excluded = tuple(seed for seed in got if seed not in values)
        row = Row(stage, model, arm, metric, len(each), fmean(each), std, values, excluded)
        rows.append(row)
    return rows


def _natural(repetition: int | str) -> tuple[str, int]:
    """Sort key: by parent, then by seed as a number."""
    parent, _, seed = str(repetition).rpartition('/')
    return parent, int(seed)


def mean_std(row: Row) -> str:
    """``93.10 ± 0.20``, or ``93.10`` where there is one network."""
    return spread(row.mean, row.std, METRICS[row.stage][row.metric])


def spread(mean: float, std: float | None, metric: Metric) -> str:
    """The same of any numbers, shown as ``metric`` is."""
    return metric.text(mean) + ('' if std is None else f' ± {metric.text(std)}')
