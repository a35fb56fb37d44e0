"""Every comparison of a study judged, so that all that is claimed holds together at 5 %.

Judged is each arm against its rival, which is the baseline unless the table of arms names another,
on the model's primary metric and, of a detector with masks, on that of these as well; and the
primary comparison of the study, whichever two arms and whichever metric it names.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from statistics import fmean
from typing import Protocol

from rethink_det.arms import ARMS, CLASSIFICATION, STAGES
from rethink_det.errors import UserError
from rethink_det.report.comparison import Comparison
from rethink_det.report.design import Compared, Score, compare, distinct
from rethink_det.report.estimate import Estimate
from rethink_det.report.fairness import fairness
from rethink_det.report.family import Levels, family_levels, first_share
from rethink_det.report.noise import noise_of
from rethink_det.report.outcome import BETTER, EQUIVALENT, OPEN, WORSE, Verdict
from rethink_det.report.run_result import COMPLETED, RunResult
from rethink_det.report.statistics import groups, judged_metrics, runs_by_arm

PRIMARY_LATE = 'another comparison was the primary one when there were results, so none is now'
MARGIN_LATE = 'the margin was another one when there were results'
NOISES = 2.0
"""The margin where none was named: so many standard errors of the metric on its test images."""


class Results(Protocol):
    """What of a study's results is judged (``StudyResults``)."""

    @property
    def runs(self) -> Sequence[RunResult]:
        """Its runs."""

    @property
    def primary(self) -> Comparison | None:
        """The comparison that was named before the runs."""

    @property
    def margin(self) -> Mapping[str, float]:
        """By metric, in its own unit."""

    @property
    def primary_late(self) -> bool:
        """Whether it was named when there were results."""

    @property
    def margin_late(self) -> bool:
        """Whether the margin was."""


def judge(results: Results) -> list[Verdict]:
    """The verdicts of a study, in the order of models and arms.

    All that they claim holds together: in at most 5 % of studies is anything of it false, see
    :mod:`~rethink_det.report.family`. A comparison is left out where one of its arms has no run
    with a finite value of the metric.

    Args:
        results: A study's; of older files that lack the parents, these are found out where the
            networks' digests tell them.

    Raises:
        UserError: Two completed runs are of the same model, arm, parent and seed; a margin is no
            positive number.

    Example:
        >>> from rethink_det.report import StudyResults, judge
        >>> [verdict.outcome for verdict in judge(StudyResults.read('work'))]
        ['open']
    """
    runs_by_arm(results.runs)
    for metric, margin in results.margin.items():
        if not 0 < margin < inf:
            raise UserError(f'margin of {metric} must be a positive number, got {margin!r}.')
    trained = [run for run in results.runs if run.stage in STAGES]  # pruning may have failed, too
    runs = _with_parents(trained)
    cases = [case for place in groups(runs) for case in _cases(results, runs, *place)]
    claims = {case.comparison: case.claims for case in cases}
    able = [comparison for comparison, claim in claims.items() if claim.first < inf]
    named_before = results.primary in able and not results.primary_late
    primary = results.primary if named_before else None
    levels = family_levels(claims, primary)
    margin = any(claim.equivalent is not None for claim in claims.values())
    share = first_share(len(able) - (primary is not None), margin, primary is not None)
    return [
        replace(
            _verdict(case, levels[case.comparison], share),
            primary=case.comparison == results.primary,
            late=_late(results, case),
            exploratory=primary not in (None, case.comparison),
        )
        for case in cases
    ]


def _late(results: Results, case: '_Case') -> str:
    """What of a comparison was settled only when there were results."""
    primary = results.primary_late and case.comparison == results.primary
    late = {PRIMARY_LATE: primary, MARGIN_LATE: results.margin_late and case.margin_named}
    return ' and '.join(words for words, is_late in late.items() if is_late)


def comparisons(runs: Iterable[RunResult], stage: str, model: str) -> list[Comparison]:
    """What is judged of a model: each arm against its rival, on each metric that is judged.

    Of its own rivals that are trained, an arm has the first that trained for as many epochs.

    Args:
        runs: Of a study, completed or not.
        stage: Of the model.
        model: Its name.
    """
    mine = [run for run in runs if (run.stage, run.model) == (stage, model)]
    metrics = judged_metrics(stage, {name for run in mine for name in run.metrics})
    pairs = _pairs(stage, {run.arm: run.epochs for run in mine})
    return [Comparison(stage, model, *pair, name) for name in metrics for pair in pairs]


def _pairs(stage: str, epochs: Mapping[str, float | None]) -> list[tuple[str, str]]:
    """Arms and their rivals, of those whose epochs these are, in the order of the table."""
    found = []
    for arm in sorted(filter(ARMS.is_judged, epochs), key=lambda arm: ARMS.rank(stage, arm)):
        alike = [other for other, trained in epochs.items() if trained == epochs[arm]]
        own = next((name for name in ARMS.own_rivals(stage, arm) if name in alike), None)
        rival = own or ARMS.rival(stage, arm, epochs)
        if rival is not None:
            found.append((arm, rival))
    return found


@dataclass(frozen=True)
class _Case:
    """A comparison with all that its judgement needs."""

    comparison: Comparison
    compared: Compared
    margin: float | None
    margin_named: bool
    noise: float | None
    runs: tuple[RunResult, ...]
    parents_known: bool
    usual: bool = True

    @property
    def completed(self) -> tuple[list[RunResult], list[RunResult]]:
        """The completed runs of the arm, and of the baseline."""
        done = [run for run in self.runs if run.status == COMPLETED]
        arm = self.comparison.arm
        return [r for r in done if r.arm == arm], [r for r in done if r.arm != arm]

    @property
    def same_test(self) -> bool:
        """Whether no two runs say that their test images were others."""
        done = [run for side in self.completed for run in side]
        digests = {run.test_digest for run in done} - {None}
        counts = {run.test_images for run in done} - {None}
        return len(digests) <= 1 and len(counts) <= 1

    @property
    def claims(self) -> Levels:
        """At which level its interval makes which claim."""
        estimate = self.compared.estimate
        equivalent = None if self.margin is None else estimate.level_equivalent(self.margin)
        return Levels(estimate.level_different, equivalent)


def _cases(results: Results, runs: Sequence[RunResult], stage: str, model: str) -> list[_Case]:
    usual = comparisons(runs, stage, model)
    asked, primary = list(usual), results.primary
    if primary and (primary.stage, primary.model) == (stage, model) and primary not in asked:
        asked.append(primary)  # of another rival or metric
    cases = []
    for comparison in asked:
        mine = [r for r in runs if (r.stage, r.model) == (stage, model)]
        sides = [[r for r in mine if r.arm == arm] for arm in (comparison.arm, comparison.baseline)]
        ours, theirs = (scores_of(side, comparison.metric) for side in sides)
        if ours and theirs:
            case = _case(results, comparison, ours, theirs, (*sides[0], *sides[1]))
            cases.append(replace(case, usual=comparison in usual))
    return cases


def _case(
    results: Results,
    comparison: Comparison,
    ours: Sequence[Score],
    theirs: Sequence[Score],
    runs: tuple[RunResult, ...],
) -> _Case:
    metric = comparison.metric
    noises = [noise for side in (ours, theirs) if (noise := _noise(side, metric)) is not None]
    noise = max(noises) if len(noises) == 2 else None
    named = results.margin.get(metric)
    margin = named if named is not None else NOISES * noise if noise else None
    known = all(score.parent for score in (*ours, *theirs))
    compared = compare(ours, theirs)
    case = _Case(comparison, compared, margin, named is not None, noise, runs, known)
    if case.same_test:
        return case
    nothing = replace(compared, estimate=Estimate(compared.estimate.value), gaps=(), deviation=None)
    return replace(case, compared=nothing)


def scores_of(runs: Iterable[RunResult], metric: str) -> list[Score]:
    """The completed runs with a finite value of a metric."""
    scores = []
    for run in runs:
        value = run.metrics.get(metric)
        if run.status == COMPLETED and value is not None and isfinite(value):
            draws = (run.replicates or {}).get(metric, ())
            draws = draws if all(map(isfinite, draws)) else ()
            scores.append(
                Score(
                    run.seed, float(value), run.ancestor, run.network, tuple(draws),
                    run.test_digest, run.test_images, run.is_given,
                )
            )  # fmt: skip
    return scores


def _noise(scores: Sequence[Score], metric: str) -> float | None:
    """Of an arm: the mean over its runs."""
    found = [noise_of(s.value, metric, s.n_images, s.draws) for s in distinct(scores)]
    known = [noise for noise in found if noise is not None]
    return fmean(known) if len(known) == len(found) else None


def _with_parents(runs: Sequence[RunResult]) -> list[RunResult]:
    """The runs; where rows of before do not name their parents, the digests of these do.

    The unpruned networks of a seed stand in the same results. A run without a parent's digest
    has that of its seed, if there is but one.
    """
    reference = ARMS.reference(CLASSIFICATION).name
    known: dict[int, set[str]] = {}
    for run in runs:
        if (run.stage, run.arm) == (CLASSIFICATION, reference) and run.digest:
            known.setdefault(run.seed, set()).add(run.digest)
    return [
        replace(run, parent_digest=next(iter(known[run.seed])))
        if run.parent_digest is None and len(known.get(run.seed, ())) == 1
        else run
        for run in runs
    ]


def _verdict(case: _Case, level: float, share: float) -> Verdict:
    """Judged at a level; one that is not judged is told what it could have found at its share."""
    estimate, compared = case.compared.estimate, case.compared
    return Verdict(
        comparison=case.comparison,
        scope=compared.scope,
        outcome=_outcome(case, level),
        difference=estimate.value,
        interval=estimate.interval(level) if level > 0 else None,
        n=estimate.n,
        primary=False,
        usual=case.usual,
        level=level if estimate.error is not None else 0.0,
        margin=case.margin,
        margin_named=case.margin_named,
        share=level or share,
        estimate=estimate,
        deviation=compared.deviation,
        noise=case.noise,
        gaps=compared.gaps,
        dropped=compared.dropped,
        lost=_lost(case.runs, case.comparison.metric),
        given=any(run.parent_given for run in case.runs),
        one_network=any(run.is_given for run in case.runs),
        compute_known=all(
            run.total_train_macs is not None for side in case.completed for run in side
        ),
        parents_known=case.parents_known,
        fairness=fairness(*case.completed),
        same_test=case.same_test,
    )


def _outcome(case: _Case, level: float) -> str:
    """What the interval of that level says.

    A small difference may be both: within a margin that was named, it does not matter; but a
    margin that was taken from the noise of the test images explains no difference away.
    """
    claims, better = case.claims, case.compared.estimate.value > 0
    different = claims.different is not None and claims.different <= level
    equivalent = claims.equivalent is not None and claims.equivalent <= level
    if equivalent and (case.margin_named or not different):
        return EQUIVALENT
    if not different:
        return OPEN
    return BETTER if better else WORSE


def _lost(runs: Iterable[RunResult], metric: str) -> tuple[str, ...]:
    words = []
    for run in runs:
        value = run.metrics.get(metric)
        if run.status != COMPLETED:
            words.append(f'{run.arm} seed {run.seed} ({run.status})')
        elif value is None or not isfinite(value):
            words.append(f'{run.arm} seed {run.seed} (no finite value)')
    return tuple(words)
