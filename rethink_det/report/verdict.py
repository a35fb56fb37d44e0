"""The verdicts in plain sentences: what may be said of a model, and of a whole study."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rethink_det.arms import ARMS
from rethink_det.report.design import METHOD, NETWORKS, PARENT
from rethink_det.report.fairness import SCHEDULE, Fairness
from rethink_det.report.outcome import BETTER, EQUIVALENT, OPEN, WORSE, Verdict
from rethink_det.report.statistics import METRICS, Metric, Row, mean_std, primary_metric

MOST_NEEDED = 1000
"""Repetitions; whoever would need more is told that it is more."""


@dataclass(frozen=True)
class Conclusion:
    """What a (stage, model) says of inherited weights against the architecture alone.

    Attributes:
        stage: Of the model.
        model: Its name.
        outcome: That of training from scratch against the baseline, see
            :mod:`~rethink_det.report.judgement`.
        sentence: In prose.
    """

    stage: str
    model: str
    outcome: str
    sentence: str


def conclude(
    verdicts: Iterable[Verdict], rows: Iterable[Row], stage: str, model: str
) -> Conclusion:
    """The conclusion of (stage, model).

    Told at length is the primary comparison, if it is of this model, or else of the candidates
    the first that has a score (the one of the big network's compute, Scratch-B, if it has one),
    because they were chosen beforehand and not for their scores; the others are told beside it,
    as are controls that have rivals of their own, and the masks of a detector.

    Args:
        verdicts: Of the study.
        rows: Its summary.
        stage: Of the model.
        model: Its name.
    """
    mine = [row for row in rows if (row.stage, row.model) == (stage, model)]
    judged = [v for v in verdicts if (v.stage, v.model) == (stage, model)]
    metric = primary_metric(mine, stage, model)
    usual = {v.comparison.arm: v for v in judged if is_usual(v, metric)}
    present = [arm for arm in ARMS.candidates(stage) if arm.name in usual]
    told = [v for v in judged if v.primary] + [usual[arm.name] for arm in present]
    if not told:
        baseline = ARMS.baseline(stage)
        scored = any(row.arm == baseline.name for row in mine)
        missing = 'training from scratch' if scored else baseline.label
        sentence = f'Whether inherited weights mattered is open: {missing} has no score yet.'
        return Conclusion(stage, model, OPEN, sentence)
    told += [v for v in judged if v.usual and _has_own_question(v)]
    first, *others = {v.comparison: v for v in told}.values()
    parts = [sentence_of(first, mine), *(_beside(other, first, mine) for other in others)]
    wanted = ARMS.candidates(stage)[0]
    if ARMS.has_equal_compute(wanted) and not any(map(ARMS.has_equal_compute, present)):
        parts.append(f'{wanted.label}, the arm of equal compute, has no completed run')
    sentence = f'{"; ".join(parts)}. {first.fairness.sentence}'
    return Conclusion(stage, model, first.outcome, sentence)


def _has_own_question(verdict: Verdict) -> bool:
    """Whether it is of an arm without inherited weights, or of one with rivals of its own."""
    stage, comparison = verdict.stage, verdict.comparison
    candidates = [arm.name for arm in ARMS.candidates(stage)]
    return comparison.arm in candidates or comparison.baseline in ARMS.own_rivals(
        stage, comparison.arm
    )


def is_usual(verdict: Verdict, metric: str | None) -> bool:
    """Whether it is of the arm's usual rival and the model's own metric.

    A primary comparison may have been named with others.
    """
    return verdict.usual and verdict.comparison.metric == metric


def sentence_of(verdict: Verdict, rows: Iterable[Row]) -> str:
    """A verdict in prose, without a full stop.

    Args:
        verdict: Of a comparison.
        rows: Those of its model.
    """
    scores = _scores(verdict, rows)
    arm, baseline = verdict.comparison.arm, verdict.comparison.baseline
    reached = ', '.join(
        f'{_label(name, verdict)}{" reached" if name == arm else ""} {mean_std(scores[name])} '
        f'{_metric(verdict).unit}'
        for name in (arm, baseline)
    )
    words = [f'{_opening(verdict)}: {reached} ({_difference(verdict)})', *_reservations(verdict)]
    return '; '.join(words)


def _opening(verdict: Verdict) -> str:
    """The claim, and for whom it holds."""
    metric, points = _metric(verdict), _metric(verdict).text(abs(verdict.difference))
    arm, baseline = (
        _label(name, verdict) for name in (verdict.comparison.arm, verdict.comparison.baseline)
    )
    within = '' if verdict.margin is None else f'within ±{metric.text(verdict.margin)} points'
    claims = {
        BETTER: f'{arm} did better than {baseline}, by {points} points',
        WORSE: f'{arm} did worse than {baseline}, by {points} points',
        EQUIVALENT: f'{arm} and {baseline} were equivalent {within}',
        OPEN: f'Whether {arm} differs from {baseline} is not settled',
    }
    anew = _drawn_anew(verdict)
    if anew is not None:
        alone = f'The architecture alone did better, by {points} points'
        inherited = f'Inherited weights mattered, by {points} points'
        claims = {
            BETTER: alone if anew == verdict.comparison.arm else inherited,
            WORSE: inherited if anew == verdict.comparison.arm else alone,
            EQUIVALENT: f'Inherited weights were worth nothing that matters, {within}',
            OPEN: 'Whether inherited weights mattered is not settled',
        }
    claim = claims[verdict.outcome] + _scope(verdict)
    if verdict.outcome in (BETTER, WORSE):
        claim += _schedules(verdict.fairness)
    return claim if not verdict.exploratory else f'Exploratory: {claim[0].lower()}{claim[1:]}'


def _drawn_anew(verdict: Verdict) -> str | None:
    """The side without inherited weights, if the other has such; None of all other pairs."""
    comparison = verdict.comparison
    arms = {arm.name: arm for arm in ARMS.of(verdict.stage) if arm.pruned}
    alone = {arm.name for arm in ARMS.candidates(verdict.stage)}
    sides = (comparison.arm, comparison.baseline)
    for one, other in (sides, sides[::-1]):
        if one in alone and other in arms and other not in alone and ARMS.inherits(arms[other]):
            return one
    return None


def _scope(verdict: Verdict) -> str:
    """For whom a claim holds, if not for the method as it was used here."""
    given = ' (given: how its training varies is unknown)' if verdict.given else ''
    if verdict.one_network and verdict.scope == PARENT:
        return f' for this one network{given}'
    return {
        METHOD: ' here',
        PARENT: f' for this parent{given}',
        NETWORKS: ' between these two networks',
    }[verdict.scope]


def _schedules(fairness: Fairness) -> str:
    """A difference between schedules is no difference between weights alone, and is said to be."""
    if fairness.same_schedule:
        return ''
    differing = [fact for fact in SCHEDULE if fact in fairness.differing]
    if differing:
        return f' (each by its own {" and ".join(differing)})'
    return ' (whether by one schedule is not recorded)'


def _difference(verdict: Verdict) -> str:
    metric = _metric(verdict)
    parts = [f'difference {metric.text(verdict.difference, signed=True)}']
    if verdict.interval is not None:
        parts.append(f'{confidence(verdict.level)} CI {interval(metric, verdict.interval)}')
    parts.append(f'n = {verdict.n}')
    return ', '.join(parts)


def interval(metric: Metric, bounds: tuple[float, float] | None) -> str:
    """``−0.40 to +0.60``, or an empty text where there is no interval."""
    if bounds is None:
        return ''
    return ' to '.join(metric.text(bound, signed=True) for bound in bounds)


def confidence(level: float) -> str:
    """``95 %``, ``99.17 %`` of an interval that misses the truth in ``level`` of all studies."""
    return f'{round(100 * (1 - level), 2):g} %'


def _reservations(verdict: Verdict) -> list[str]:
    """What a reader must know to believe the claim no further than it goes."""
    words = [_why_open(verdict)] if verdict.outcome == OPEN else []
    if verdict.late:
        words.append(verdict.late)
    if verdict.outcome == EQUIVALENT and not verdict.margin_named:
        words.append('the margin is twice the standard error that the test images give a score')
    if not verdict.parents_known:
        words.append('which runs share a parent is not recorded, each seed counts as its own')
    if verdict.given and not verdict.compute_known:
        words.append(
            'the compute of its training is unknown (parent_epochs= tells it, with its config=)'
        )
    if verdict.dropped:
        seeds = ', '.join(map(str, verdict.dropped))
        words.append(f'seeds of one arm only are left out of the difference: {seeds}')
    if verdict.lost:
        words.append(f'without a result: {", ".join(verdict.lost)}')
    return words


def _why_open(verdict: Verdict) -> str:
    """What is missing to settle it."""
    if not verdict.same_test:
        return 'its runs were evaluated on different test images, and cannot be compared'
    if verdict.alone is None:
        if verdict.n < 2:
            return 'with one run of an arm, and no resampled test images, no spread is known'
        return 'the runs show no spread to measure it by'
    seen = _metric(verdict).text(verdict.detectable)
    could = f'80 % of such studies would find a difference of {seen} points'
    if verdict.needed is not None:
        more = verdict.needed > MOST_NEEDED
        count = f'more than {MOST_NEEDED}' if more else f'about {verdict.needed}'
        wish = 'one of the margin' if verdict.margin else 'the one that was seen'
        could += f', {count} repetitions {wish}'
    if not verdict.judged:
        return f'it is not judged, as the primary comparison is open; {could}'
    return could


def _scores(verdict: Verdict, rows: Iterable[Row]) -> dict[str, Row]:
    """The rows of its metric by arm."""
    return {row.arm: row for row in rows if row.metric == verdict.comparison.metric}


def _beside(verdict: Verdict, first: Verdict, rows: Iterable[Row]) -> str:
    """A further comparison, in short; its metric and baseline where the first has others."""
    comparison = verdict.comparison
    reached = mean_std(_scores(verdict, rows)[comparison.arm])
    outcome = {OPEN: 'not settled'}.get(verdict.outcome, verdict.outcome)
    if comparison.metric != first.comparison.metric:
        reached = f'{_metric(verdict).name} {reached}'
    difference = _difference(verdict)
    if comparison.baseline != first.comparison.baseline:
        difference = f'against {_label(comparison.baseline, verdict)}, {difference}'
    return f'{_label(comparison.arm, verdict)} reached {reached} ({difference}: {outcome})'


def _label(arm: str, verdict: Verdict) -> str:
    return ARMS.label(verdict.stage, arm)


def _metric(verdict: Verdict) -> Metric:
    return METRICS[verdict.stage][verdict.comparison.metric]


def overall_verdict(conclusions: Sequence[Conclusion], verdicts: Sequence[Verdict] = ()) -> str:
    """One sentence for the study: that of the primary comparison's model, and a count of all.

    Args:
        conclusions: Of its models.
        verdicts: Of its comparisons.
    """
    if not conclusions:
        return 'Nothing can be said yet: no completed run has a metric to compare.'
    primary = next((v for v in verdicts if v.primary), None)
    place = None if primary is None else (primary.stage, primary.model)
    main = next((c for c in conclusions if (c.stage, c.model) == place), None)
    if len(conclusions) == 1:
        return conclusions[0].sentence
    parts = [] if main is None else [main.sentence]
    said = {
        WORSE: 'mattered in',
        BETTER: 'did worse than training the architecture from scratch in',
        EQUIVALENT: 'were worth nothing that matters in',
        OPEN: 'could not be judged in',
    }
    counts = []
    for outcome, words in said.items():
        models = [
            ' '.join(filter(None, (c.stage, c.model))) for c in conclusions if c.outcome == outcome
        ]
        if models:
            counts.append(f'{words} {len(models)} of {len(conclusions)} ({", ".join(models)})')
    parts.append(f'Over {len(conclusions)} comparisons, inherited weights {"; ".join(counts)}.')
    return ' '.join(parts)
