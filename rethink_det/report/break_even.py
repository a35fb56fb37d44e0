"""From which training compute on a network drawn anew is as good as one with inherited weights.

Source of the question: arXiv 2606.14150, which asks it of language models. A study trains the
pruned network from scratch with several budgets. Between two of them the metric of each
repetition is taken as linear in the logarithm of the compute; beyond them nothing is claimed.
The interval inverts the test of the difference to the baseline, which is that of all comparisons
(:mod:`.design`), along the curve: it has every compute at which the difference may be zero. So it
misses the break-even in 5 % of studies, and it is open where the budgets tried do not reach.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, log
from statistics import fmean

from rethink_det.arms import ARMS, AT
from rethink_det.report.design import NETWORKS, PARENT, Score, compare
from rethink_det.report.family import LEVEL
from rethink_det.report.judgement import scores_of
from rethink_det.report.run_result import COMPLETED, RunResult

REACHED, AT_SMALLEST, NOT_REACHED = OUTCOMES = (
    'reached', 'already at the smallest budget', 'not reached within the budgets tried'
)  # fmt: skip
STEPS = 64
"""Places between two budgets at which the difference is tested."""
Scores = Mapping[int | str, Score]
"""By repetition."""


@dataclass(frozen=True)
class BreakEven:
    """Where training from scratch catches up with the baseline. Compute is in multiply-adds.

    Attributes:
        stage: Of the model.
        model: Its name.
        metric: By which they are compared.
        baseline: The arm that is caught up with.
        outcome: One of :data:`OUTCOMES`.
        compute: At the break-even; None unless it was reached.
        interval: Its two ends; None for one that lies below the smallest budget, or beyond the
            largest. None altogether where the runs do not tell it.
        tried: Compute of the budgets, ascending.
        spent: Compute of the baseline; None if unknown.
        unpruned: Compute of the unpruned network; None if unknown.
        scope: For whom, one of :data:`~rethink_det.report.design.SCOPES`.
        n: Repetitions.
        method: Of the interval.
        alone: Whether the compute is that of the training alone, as that of its parents is unknown.
    """

    stage: str
    model: str
    metric: str
    baseline: str
    outcome: str
    compute: float | None
    interval: tuple[float | None, float | None] | None
    tried: tuple[float, ...]
    spent: float | None
    unpruned: float | None
    scope: str
    n: int
    method: str | None
    alone: bool


def break_even(runs: Iterable[RunResult], metric: str) -> BreakEven | None:
    """The break-even of a model; None unless it was trained from scratch with several budgets.

    Args:
        runs: Of one (stage, model).
        metric: By which they are compared.
    """
    done = [run for run in runs if run.status == COMPLETED]
    arms = dict.fromkeys(run.arm for run in done)
    if not any(AT in arm for arm in arms):
        return None
    stage = done[0].stage
    baseline = ARMS.baseline(stage).name
    base = _scores(done, baseline, metric)
    drawn = [arm for arm in arms if _is_drawn(stage, arm)]
    key = 'total_train_macs' if _known(done, drawn) else 'train_macs'
    points = list(_points(done, drawn, metric, key))
    if len(points) < 2 or not base:
        return None
    walked = [_Place.at(x, scores, base) for x, scores in _walk(points)]
    outcome, compute = _crossing(walked)
    at = min(walked, key=lambda place: abs(place.x - (compute or walked[-1].x)))
    return BreakEven(
        stage, done[0].model, metric, baseline, outcome, compute, _interval(walked),
        tuple(x for x, _ in points), _mean_of(done, baseline, key),
        _mean_of(done, ARMS.reference(stage).name, key),
        at.scope, at.n, at.method, key == 'train_macs',
    )  # fmt: skip


def sentence_of(found: BreakEven) -> str:
    """It in prose, with a full stop."""
    label = ARMS.label(found.stage, found.baseline)
    whose = {NETWORKS: ' (these networks alone)', PARENT: ' (this parent alone)'}
    for_whom = whose.get(found.scope, '') if found.interval else ''
    tried = f'{relative(found, found.tried[0])} to {relative(found, found.tried[-1])}'
    if found.outcome == REACHED:
        where = f'catches up with {label} at {relative(found, found.compute)}{for_whom}'
    elif found.outcome == AT_SMALLEST:
        where = f'has caught up with {label} at the smallest budget tried{for_whom}'
    else:
        where = f'does not catch up with {label} within the budgets tried{for_whom}'
    spent = '' if found.spent is None else f', which took {relative(found, found.spent)}'
    unit = '' if found.unpruned is None else " in units of the unpruned network's training compute"
    return f'Training from scratch {where}{spent} ({interval_text(found)}; tried {tried}{unit}).'


def interval_text(found: BreakEven) -> str:
    """Its 95 % interval in words; ends that the budgets do not reach are said to be open."""
    if found.interval is None:
        return 'no interval without repetitions'
    low, high = found.interval
    first, last = (relative(found, found.tried[place]) for place in (0, -1))
    start = f'below {first}' if low is None else relative(found, low)
    end = f'beyond {last}' if high is None else relative(found, high)
    return f'95 % interval {start} to {end}'


def relative(found: BreakEven, macs: float | None) -> str:
    """A compute in multiples of the unpruned network's; in MACs where that is unknown."""
    if macs is None:
        return '–'
    return f'{macs / found.unpruned:.2f} ×' if found.unpruned else f'{macs:.3g} MACs'


def _is_drawn(stage: str, name: str) -> bool:
    """Whether an arm draws all weights anew; none that is not known, of an older result."""
    known = name.partition(AT)[0] in ARMS.names(stage)
    return known and ARMS.is_drawn_anew(ARMS.get(stage, name))


def _known(runs: Sequence[RunResult], arms: Sequence[str]) -> bool:
    return all(run.total_train_macs is not None for run in runs if run.arm in arms)


def _mean_of(runs: Sequence[RunResult], arm: str, key: str) -> float | None:
    found = [getattr(run, key) for run in runs if run.arm == arm]
    return fmean(found) if found and None not in found else None


def _scores(runs: Sequence[RunResult], arm: str, metric: str) -> dict[int | str, Score]:
    mine = {run.repetition: scores_of([run], metric) for run in runs if run.arm == arm}
    return {key: scores[0] for key, scores in mine.items() if scores}


def _points(
    runs: Sequence[RunResult], arms: Iterable[str], metric: str, key: str
) -> Iterator[tuple[float, Scores]]:
    """Budgets by their mean compute, ascending; arms of one compute are averaged."""
    found: dict[float, Scores] = {}
    for arm in arms:
        compute, scores = _mean_of(runs, arm, key), _scores(runs, arm, metric)
        if compute and scores:
            found[compute] = _blend(found[compute], scores, 0.5) if compute in found else scores
    yield from sorted(found.items(), key=lambda point: point[0])


def _walk(points: Sequence[tuple[float, Scores]]) -> Iterator[tuple[float, Scores]]:
    """The curve, densely."""
    yield points[0]
    for (low, before), (high, after) in pairwise(points):
        for share in (step / STEPS for step in range(1, STEPS)):
            yield exp(log(low) + share * log(high / low)), _blend(before, after, share)
        yield high, _blend(before, after, 1.0)


def _blend(one: Scores, other: Scores, share: float) -> dict[int | str, Score]:
    """Scores between those of two arms, where a repetition has both."""
    return {key: _between(one[key], other[key], share) for key in one if key in other}


def _between(one: Score, other: Score, share: float) -> Score:
    pairs = zip(one.draws, other.draws, strict=True) if _same_draws(one, other) else ()
    return replace(
        one,
        value=one.value + share * (other.value - one.value),
        draws=tuple(a + share * (b - a) for a, b in pairs),
        network=None,
    )


def _same_draws(one: Score, other: Score) -> bool:
    return one.images == other.images and len(one.draws) == len(other.draws)


@dataclass(frozen=True)
class _Place:
    """The difference to the baseline at some compute, and its 95 % interval."""

    x: float
    gap: float
    low: float | None
    high: float | None
    scope: str
    n: int
    method: str | None

    @classmethod
    def at(cls, x: float, scores: Scores, base: Scores) -> '_Place':
        found = compare([*scores.values()], [*base.values()])
        estimate = found.estimate
        low, high = estimate.interval(LEVEL) or (None, None)
        return cls(x, estimate.value, low, high, found.scope, estimate.n, estimate.method)


def _crossing(places: Sequence[_Place]) -> tuple[str, float | None]:
    if places[0].gap >= 0:
        return AT_SMALLEST, None
    found = _first(places, [place.gap for place in places])
    return (NOT_REACHED, None) if found is None else (REACHED, found)


def _first(places: Sequence[_Place], values: Sequence[float]) -> float | None:
    """The compute at which values come to zero from below, linear between two places."""
    for (before, after), (low, high) in zip(pairwise(places), pairwise(values), strict=True):
        if low < 0 <= high:
            share = low / (low - high)
            return exp(log(before.x) + share * log(after.x / before.x))
    return None


def _interval(places: Sequence[_Place]) -> tuple[float | None, float | None] | None:
    """Where the difference may be zero: from the first such place to the last."""
    ends = [(place.low, place.high) for place in places]
    lows = [low for low, _ in ends if low is not None]
    highs = [high for _, high in ends if high is not None]
    if len(lows) < len(ends) or len(highs) < len(ends):
        return None
    start = None if highs[0] >= 0 else _first(places, highs) or places[-1].x
    if lows[-1] <= 0:
        return start, None
    # Backwards along the curve, the last place at which it may still lie below.
    end = _first(places[::-1], [-low if low else 0.0 for low in lows[::-1]])
    return start, places[0].x if end is None else end
