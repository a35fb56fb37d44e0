"""What the seeds of a study allow to be said: means, differences, intervals, the verdict.

Every seed of an arm starts from the parent of that seed, so two arms run with the same
seeds are compared pairwise (paired t); otherwise by Welch's t, which assumes neither equal
variances nor equal counts. Intervals are two-sided at 95 %, one comparison at a time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from math import isfinite
from statistics import fmean, stdev
from typing import Any, Protocol
from warnings import catch_warnings, simplefilter

from scipy import stats

from rethink_det.arms import ARMS, STAGES
from rethink_det.errors import UserError

CONFIDENCE = 0.95
MINUS = '\N{MINUS SIGN}'


@dataclass(frozen=True)
class Metric:
    """How a metric is shown: its name, factor to points (percent), decimals, unit."""

    name: str
    scale: float
    decimals: int
    unit: str

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
    'classification': {'accuracy/top1': Metric('Top-1', 1.0, 2, '%')},
    'detection': {
        'coco/bbox_mAP': Metric('Box AP', 100.0, 1, 'AP'),
        'coco/segm_mAP': Metric('Mask AP', 100.0, 1, 'AP'),
        'pascal_voc/mAP': Metric('VOC AP', 100.0, 1, 'AP'),
    },
}


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
    def metrics(self) -> Mapping[str, float | None]:
        """In their own units; None for one not finite."""


@dataclass(frozen=True)
class Difference:
    """Arm minus baseline, in the metric's own units.

    ``ci95`` and ``p_value`` are None where the runs do not determine them: fewer than two
    seeds on a side, or no spread between seeds. ``method`` is 'paired t', 'Welch t' or None.
    """

    baseline: str
    value: float
    ci95: tuple[float, float] | None = None
    p_value: float | None = None
    method: str | None = None
    n_baseline: int = 0

    @property
    def half_width(self) -> float | None:
        """Half the interval: the difference that the study can resolve."""
        return None if self.ci95 is None else (self.ci95[1] - self.ci95[0]) / 2


@dataclass(frozen=True)
class Row:
    """One arm's metric over its completed seeds. ``std`` is the sample's (ddof=1)."""

    stage: str
    model: str
    arm: str
    metric: str
    n: int
    mean: float
    std: float | None
    values: dict[int | str, float]  # by the run's repetition
    excluded_seeds: tuple[int | str, ...]  # completed, but the metric is missing, NaN or infinite
    difference: Difference | None

    @property
    def compared(self) -> Difference:
        """The difference to the baseline.

        Raises:
            ValueError: There is none: the arm is the baseline, or that has no score.
        """
        if self.difference is None:
            raise ValueError(f'{self.arm} is compared with nothing')
        return self.difference


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


def compare(
    values: Mapping[Any, float], base: Mapping[Any, float], baseline: str = 'baseline'
) -> Difference:
    """``values`` minus ``base``, both by repetition: paired when the seeds are the same.

    Source: ``scipy.stats.ttest_rel``, ``ttest_ind(equal_var=False)`` and their
    ``confidence_interval``.

    Raises:
        ValueError: a side has no seed.
    """
    if not values or not base:
        raise ValueError('a comparison needs at least one seed on each side')
    value = fmean(values.values()) - fmean(base.values())
    if min(len(values), len(base)) < 2:
        return Difference(baseline, value, n_baseline=len(base))
    paired = set(values) == set(base)
    seeds = sorted(values)
    ours, theirs = [values[s] for s in seeds], [base[s] for s in (seeds if paired else base)]
    gaps = [[a - b for a, b in zip(ours, theirs, strict=True)]] if paired else [ours, theirs]
    method = 'paired t' if paired else 'Welch t'
    tolerance = 1e-12 + 1e-9 * max(
        map(abs, ours + theirs)
    )  # spread below it is rounding, not seeds
    if all(max(gap) - min(gap) <= tolerance for gap in gaps):
        return Difference(baseline, value, method=method, n_baseline=len(base))
    with catch_warnings():
        simplefilter('ignore', RuntimeWarning)  # scipy's, where one of the two has no spread
        if paired:
            test = stats.ttest_rel(ours, theirs)
        else:
            test = stats.ttest_ind(ours, theirs, equal_var=False)
    low, high = test.confidence_interval(CONFIDENCE)
    ci95 = (float(low), float(high))
    return Difference(baseline, value, ci95, float(test.pvalue), method, len(base))


def summarise(runs: Iterable[Run]) -> list[Row]:
    """One row per (stage, model, arm, metric) over the completed runs, arms in fixed order.

    Raises:
        UserError: a stage is unknown, or two completed runs claim the same stage, model, arm,
            parent and seed.
    """
    done = [run for run in runs if run.status == 'completed']
    cells: dict[tuple[str, str, str], dict[int | str, Run]] = {}
    for run in done:
        if run.stage not in STAGES:
            raise UserError(f'stage {run.stage!r} is none of {", ".join(STAGES)}')
        seeds = cells.setdefault((run.stage, run.model, run.arm), {})
        if run.repetition in seeds:
            raise UserError(
                f'two completed runs are {run.stage} / {run.model} / {run.arm} / seed '
                f'{run.repetition}: give their models different names, or drop one of them'
            )
        seeds[run.repetition] = run
    rows = []
    for stage, model in groups(done):
        arms = [key[2] for key in cells if key[:2] == (stage, model)]
        arms.sort(key=partial(ARMS.rank, stage))
        seeds_of = {arm: cells[stage, model, arm] for arm in arms}
        for metric in sorted(
            {m for cell in seeds_of.values() for r in cell.values() for m in r.metrics}
        ):
            rows += _metric_rows(stage, model, metric, seeds_of)
    return rows


def _metric_rows(
    stage: str, model: str, metric: str, seeds_of: Mapping[str, Mapping[Any, Run]]
) -> list[Row]:
    """The rows of one metric: every arm that has a finite value of it, against the baseline."""
    table = {}
    for arm, cell in seeds_of.items():
        got = {seed: cell[seed].metrics.get(metric) for seed in sorted(cell)}
        table[arm] = {s: float(v) for s, v in got.items() if v is not None and isfinite(v)}
    baseline = ARMS.baseline(stage).name
    base = table.get(baseline)
    rows = []
    for arm, values in table.items():
        if not values:
            continue
        difference = compare(values, base, baseline) if base and arm != baseline else None
        mean, std = fmean(values.values()), stdev(values.values()) if len(values) > 1 else None
        excluded = tuple(sorted(set(seeds_of[arm]) - set(values)))
        n = len(values)
        rows.append(Row(stage, model, arm, metric, n, mean, std, values, excluded, difference))
    return rows


def mean_std(row: Row) -> str:
    """``93.10 ± 0.20``, or ``93.10`` where there is one seed."""
    metric = METRICS[row.stage][row.metric]
    spread = '' if row.std is None else f' ± {metric.text(row.std)}'
    return metric.text(row.mean) + spread


def interval(row: Row) -> str:
    """``−0.40 to +0.60``, or an empty text where there is no interval."""
    if row.difference is None or row.difference.ci95 is None:
        return ''
    metric = METRICS[row.stage][row.metric]
    return ' to '.join(metric.text(bound, signed=True) for bound in row.difference.ci95)
