"""What a study's design lets its runs say: which of them repeat one another, and for whom.

Runs of one parent are no repetitions of the method: what they share is that parent's luck. So
runs are averaged within a parent and compared over parents; with a single parent the claim is
about that parent. Two arms are compared pairwise over the parents, or seeds, that both have; a
network that was pruned and tuned elsewhere, as it is, with the repetitions of the other arm.
Runs that ended in the same network are one run: a given network has no spread.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt
from statistics import fmean

import numpy as np
from scipy import stats

from rethink_det.report.estimate import Estimate

NETWORKS, PARENT, METHOD = SCOPES = ('networks', 'parent', 'method')
"""What a claim is about: the networks at hand, all that comes of a parent, the method."""
PATTERNS = 2**16
"""Of signs that a sign-flip test tries: all of them up to 16 pairs, else a random sample."""
PAIRED, WELCH, BOOTSTRAP = 'paired t', 'Welch t', 'bootstrap over images'
ONE_SAMPLE = 'one-sample t'


@dataclass(frozen=True)
class Score:
    """What one run reached.

    Attributes:
        seed: Of the run.
        value: Of the metric, finite.
        parent: Digest of the unpruned network that it descends from; None if it has none, or if
            that is not known: its seed then stands for it.
        network: Digest of the weights: runs that ended in the same are one; None if unknown.
        draws: The metric on resampled test images, ``(draws,)``; empty if they were not kept.
        images: Digest of the images that were resampled: draws of different ones are no pairs.
        n_images: How many there are; None if unknown.
        given: Whether it is of the one network that the claim is about, which nobody trained here.
    """

    seed: int
    value: float
    parent: str | None = None
    network: str | None = None
    draws: tuple[float, ...] = ()
    images: str | None = None
    n_images: int | None = None
    given: bool = False


@dataclass(frozen=True)
class Compared:
    """Two arms, compared as their design allows.

    Attributes:
        scope: What the difference is about, one of :data:`SCOPES`.
        estimate: The difference, arm minus baseline.
        dropped: Seeds that only one of the two has, where the others are compared pairwise.
        gaps: The pairs' differences; empty where there are no pairs.
        deviation: Standard deviation of a pair's difference, or what it would be; None with fewer
            than two repetitions.
    """

    scope: str
    estimate: Estimate
    dropped: tuple[int, ...] = ()
    gaps: tuple[float, ...] = ()
    deviation: float | None = None


def compare(arm: Sequence[Score], baseline: Sequence[Score]) -> Compared:
    """Arm minus baseline.

    Args:
        arm: Its runs, at least one.
        baseline: Those of the arm it is compared with, at least one.

    Raises:
        ValueError: A side has no run.
    """
    if not arm or not baseline:
        raise ValueError('a comparison needs at least one run on each side')
    scope = _scope(arm, baseline)
    if arm[0].given != baseline[0].given:
        return _with_one(arm, baseline)
    networks = [distinct(side) for side in (arm, baseline)]
    if any(len(own) == 1 < len(side) for own, side in zip(networks, (arm, baseline), strict=True)):
        return _single(scope, networks[0], networks[1], ())  # a given one stands for all seeds
    arm, baseline = networks
    ours, theirs = _cells(arm, baseline, scope)
    common = [unit for unit in ours if unit in theirs]
    alone = [cell for unit, cell in (*ours.items(), *theirs.items()) if unit not in common]
    dropped = tuple(sorted({score.seed for cell in alone for score in cell}))
    if len(common) >= 2:
        gaps = tuple(_mean(ours[unit]) - _mean(theirs[unit]) for unit in common)
        estimate = _with_images(_paired(gaps), ours, theirs, common)
        return Compared(scope, estimate, dropped, gaps, float(np.std(gaps, ddof=1)))
    one, other = ([_mean(cell) for cell in cells.values()] for cells in (ours, theirs))
    if min(len(one), len(other)) >= 2:
        estimate = _with_images(_welch(one, other), ours, theirs)
        deviation = sqrt(np.var(one, ddof=1) + np.var(other, ddof=1))
        return Compared(scope, estimate, deviation=deviation)
    if common:
        return _single(scope, ours[common[0]], theirs[common[0]], dropped)
    return _single(scope, arm, baseline, ())


def _with_one(arm: Sequence[Score], baseline: Sequence[Score]) -> Compared:
    """Repetitions against one network that is what it is: a one-sample t test."""
    networks = [distinct(side) for side in (arm, baseline)]
    repeated, given = networks if baseline[0].given else networks[::-1]
    if len(repeated) < 2:
        return _single(NETWORKS, networks[0], networks[1], ())
    sign = 1 if baseline[0].given else -1
    gaps = [sign * (score.value - given[0].value) for score in repeated]
    estimate = _paired(gaps)
    if estimate.error is not None:
        estimate = replace(estimate, method=ONE_SAMPLE)
    sides = [{str(place): [score] for place, score in enumerate(side)} for side in networks]
    estimate = _with_images(estimate, sides[0], sides[1])
    return Compared(PARENT, estimate, deviation=float(np.std(gaps, ddof=1)))


def distinct(scores: Iterable[Score]) -> list[Score]:
    """The runs that ended in networks of their own: of several that share one, the first."""
    found: dict[tuple, Score] = {}
    for number, score in enumerate(scores):
        key = (number,) if score.network is None else (score.network, score.value)
        found.setdefault(key, score)
    return list(found.values())


def sign_flips(gaps: Sequence[float]) -> float:
    """Two-sided p value if each pair's difference might as well have the other sign.

    It needs no normal distribution; with n pairs it is at least ``2 / 2**n``, so under six pairs
    it cannot reach 0.05. Source: ``scipy.stats.permutation_test``, exact up to 16 pairs.
    """
    test = stats.permutation_test(
        (np.asarray(gaps, float),),
        np.mean,
        permutation_type='samples',
        n_resamples=PATTERNS,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(test.pvalue)


Cells = Mapping[str, list[Score]]
"""An arm's runs by what is repeated: a parent, or a seed of the only one."""


def _scope(*arms: Sequence[Score]) -> str:
    parents = {score.parent for scores in arms for score in scores if score.parent}
    seeds = {score.seed for scores in arms for score in scores}
    return PARENT if len(parents) == 1 and len(seeds) > 1 else METHOD


def _cells(arm: Sequence[Score], baseline: Sequence[Score], scope: str) -> tuple[Cells, Cells]:
    """Both arms' runs by unit; one without a parent is paired by its seed, if that is unique."""
    parents: dict[int, set[str]] = {}
    for score in (*arm, *baseline):
        if score.parent and scope == METHOD:
            parents.setdefault(score.seed, set()).add(score.parent)

    def unit(score: Score) -> str:
        if scope == METHOD and score.parent:
            return score.parent
        known = parents.get(score.seed, set())
        return next(iter(known)) if len(known) == 1 else f'seed {score.seed}'

    return _grouped(arm, unit), _grouped(baseline, unit)


def _grouped(scores: Iterable[Score], unit: Callable[[Score], str]) -> dict[str, list[Score]]:
    cells: dict[str, list[Score]] = {}
    for score in scores:
        cells.setdefault(unit(score), []).append(score)
    return cells


def _mean(cell: Sequence[Score]) -> float:
    return fmean(score.value for score in cell)


def _paired(gaps: Sequence[float]) -> Estimate:
    count = len(gaps)
    error = float(np.std(gaps, ddof=1)) / sqrt(count)
    if not _measurable(error, gaps):
        return Estimate(fmean(gaps), n=count)
    return Estimate(fmean(gaps), error, count - 1, count, PAIRED)


def _welch(one: Sequence[float], other: Sequence[float]) -> Estimate:
    squares = [float(np.var(side, ddof=1)) / len(side) for side in (one, other)]
    error, value = sqrt(sum(squares)), fmean(one) - fmean(other)
    count = min(len(one), len(other))
    if not _measurable(error, [*one, *other]):
        return Estimate(value, n=count)
    shares = [s**2 / (len(side) - 1) for s, side in zip(squares, (one, other), strict=True)]
    return Estimate(value, error, sum(squares) ** 2 / sum(shares), count, WELCH)


def _measurable(error: float, values: Sequence[float]) -> bool:
    """Whether a spread is more than rounding."""
    return error > 1e-12 + 1e-9 * max(map(abs, values))


def _single(
    scope: str, ours: Sequence[Score], theirs: Sequence[Score], dropped: tuple[int, ...]
) -> Compared:
    """Where nothing is repeated on a side: of one network each, what the test images tell."""
    value = _mean(ours) - _mean(theirs)
    if len(ours) != 1 or len(theirs) != 1:
        return Compared(scope, Estimate(value), dropped)
    error = _error_of_images([ours], [theirs])
    if not error:
        return Compared(NETWORKS, Estimate(value), dropped)
    images = ours[0].n_images
    freedom = inf if images is None else max(1, images - 1)
    return Compared(NETWORKS, Estimate(value, error, freedom, method=BOOTSTRAP), dropped)


def _with_images(
    estimate: Estimate, ours: Cells, theirs: Cells, common: Sequence[str] | None = None
) -> Estimate:
    """The estimate for other test images as well, where every run kept its draws of them."""
    sides = [[cells[unit] for unit in common or cells] for cells in (ours, theirs)]
    error = _error_of_images(*sides)
    return estimate.with_images(error or 0.0)


def _error_of_images(*sides: Sequence[Sequence[Score]]) -> float | None:
    """Standard error of the difference of two sides over draws of the test images.

    Args:
        sides: Of each its units, which are averages of runs; the side is the average of these.

    Returns:
        None where a run kept no draws, or runs kept draws of different images.
    """
    scores = [score for side in sides for unit in side for score in unit]
    kinds = {(score.images, len(score.draws)) for score in scores}
    if len(kinds) != 1 or not scores[0].draws:
        return None
    means = [np.mean([np.mean([s.draws for s in unit], 0) for unit in side], 0) for side in sides]
    return float(np.std(means[0] - means[1], ddof=1))
