"""What a study will be able to find, before any of it has run."""

from dataclasses import dataclass
from math import sqrt

from rethink_det.report.estimate import detectable
from rethink_det.report.family import LEVEL, first_share

FEWEST = 3
"""Repetitions below which a study is warned of."""


@dataclass(frozen=True)
class Planned:
    """Differences that 80 % of such studies will find, in standard deviations of one arm's score.

    The arms are taken as independent; where the runs of a parent vary together, smaller ones are
    found.

    Attributes:
        primary: Of the primary comparison; None without repetitions.
        exploratory: Of the first of the others.
    """

    primary: float | None
    exploratory: float | None


def planned(others: int, repetitions: int, margin: bool) -> Planned:
    """What so many repetitions will find.

    Args:
        others: Comparisons besides the primary one.
        repetitions: Parents, or seeds of the only one, that every arm has.
        margin: Whether equivalence may be claimed as well.
    """
    share = first_share(others, margin, primary=True)
    return Planned(_deviations(repetitions, LEVEL), _deviations(repetitions, share))


def _deviations(repetitions: int, level: float) -> float | None:
    if repetitions < 2:
        return None
    return detectable(repetitions - 1, level) * sqrt(2 / repetitions)
