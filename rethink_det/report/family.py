"""All claims of a study hold together at 5 %: the primary one first, the others after it.

A comparison's claims are read off one interval: different where it leaves out zero, equivalent
where it lies within the margin. The primary comparison, named before the runs, has the interval
of 95 %. Only if it is settled as different are the others judged; they are exploratory and share
what it left: 5 % by Holm (1979) or, where a margin is known, 2.5 %, as the primary one might yet
be called equivalent wrongly. So at most 5 % of studies say anything false, whichever differences
are zero and whichever are larger than the margin. Where the primary comparison has no interval
whatever its outcome, or none was named, all share 5 % from the beginning.

With a margin a comparison that was called different is not done with, as it might be called
equivalent as well: the level of the others rises only after both (Shaffer 1986).
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import inf
from typing import TypeVar

LEVEL = 0.05
Key = TypeVar('Key', bound=Hashable)


@dataclass(frozen=True)
class Levels:
    """At which level the interval of a comparison makes which claim; None where it never does.

    Attributes:
        different: The smallest level at which it leaves out zero.
        equivalent: The smallest level at which it lies within the margin; None without a margin.
    """

    different: float | None = None
    equivalent: float | None = None

    @property
    def first(self) -> float:
        """The smallest level at which it claims anything; infinite where it never does."""
        return min((p for p in (self.different, self.equivalent) if p is not None), default=inf)


def first_share(others: int, margin: bool, primary: bool) -> float:
    """The level at which the first of the other comparisons is judged.

    Args:
        others: How many there are besides the primary one.
        margin: Whether equivalence may be claimed.
        primary: Whether there is a primary one, judged before them.
    """
    return (LEVEL / 2 if margin and primary else LEVEL) / max(1, others)


def family_levels(claims: Mapping[Key, Levels], primary: Key | None = None) -> dict[Key, float]:
    """The level of each comparison's interval.

    Args:
        claims: By comparison, at which levels it claims what.
        primary: The comparison that is judged first.

    Returns:
        The level by comparison; 0 for one that is not judged because the primary one is open.
    """
    judged = {key: claim for key, claim in claims.items() if claim.first < inf}
    found = dict.fromkeys(claims, LEVEL)
    total = LEVEL
    if primary in judged:
        first = judged.pop(primary)
        if first.different is None or first.different > LEVEL:
            return found | dict.fromkeys(judged, 0.0)
        total = LEVEL if first.equivalent is None else LEVEL / 2
    return found | _stepwise(judged, total)


def _stepwise(claims: Mapping[Key, Levels], total: float) -> dict[Key, float]:
    """Holm's levels, Shaffer's where a comparison may claim two things."""
    found: dict[Key, float] = {}
    left = len(claims)
    level = total / max(1, left)
    for key in sorted(claims, key=lambda key: claims[key].first):
        found[key] = level
        done = [p is None or p <= level for p in (claims[key].different, claims[key].equivalent)]
        if all(done):
            left -= 1
            level = total / max(1, left)
        elif claims[key].first > level:
            break
    return dict.fromkeys(claims, level) | found
