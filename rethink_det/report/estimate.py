"""A difference and how sure it is, as Student's t has it: intervals, tests, what could be seen.

Sources: two one-sided tests of equivalence by Schuirmann (1987, doi 10.1007/BF01068419); power of
the t test by the noncentral t distribution, here integrated over the spread that might be seen.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import inf, sqrt

import numpy as np
from scipy import optimize, special

POWER = 0.8
"""Share of studies that would see a difference which a study is said to be able to see."""
_POINTS = 1000


@dataclass(frozen=True)
class Estimate:
    """A difference with its standard error.

    Attributes:
        value: The difference, in the metric's own unit.
        error: Its standard error; None where the runs do not tell it: too few, or no spread.
        freedom: Degrees of freedom of the error; infinite where images alone were resampled.
        n: Repetitions on the smaller side, or pairs.
        method: ``'paired t'``, ``'Welch t'``, ``'one-sample t'`` or ``'bootstrap over images'``;
            None without error.
    """

    value: float
    error: float | None = None
    freedom: float = inf
    n: int = 1
    method: str | None = None

    def interval(self, level: float) -> tuple[float, float] | None:
        """The two-sided interval that misses the truth in ``level`` of all studies."""
        if self.error is None:
            return None
        half = half_width(self.error, self.freedom, level)
        return self.value - half, self.value + half

    @property
    def level_different(self) -> float | None:
        """The level whose interval just leaves out zero: the two-sided p value."""
        if self.error is None:
            return None
        return 2 * _tail(abs(self.value) / self.error, self.freedom)

    def level_equivalent(self, margin: float) -> float | None:
        """The level whose interval just lies within ``margin`` of zero.

        That is twice the p value of two one-sided tests, 1 at most.
        """
        if self.error is None:
            return None
        return min(1.0, 2 * _tail((margin - abs(self.value)) / self.error, self.freedom))

    def detectable(self, level: float) -> float | None:
        """The true difference that 80 % of such studies would find at ``level``."""
        return None if self.error is None else self.error * detectable(self.freedom, level)

    def with_images(self, error: float) -> 'Estimate':
        """The same for other test images as well: errors of seeds and of images added up.

        The degrees of freedom are Satterthwaite's; those of the images are infinite.

        Args:
            error: Standard error of the difference over draws of the test images.
        """
        if self.error is None or error == 0:
            return self
        total = self.error**2 + error**2
        freedom = self.freedom * total**2 / self.error**4
        return Estimate(self.value, sqrt(total), freedom, self.n, f'{self.method}, two-level')


def half_width(error: float, freedom: float, level: float) -> float:
    """Half of Student's two-sided interval that misses the truth in ``level`` of all studies.

    Args:
        error: Standard error of what is estimated.
        freedom: Its degrees of freedom.
        level: Between 0 and 1.
    """
    return _quantile(level / 2, freedom) * error


def power(effect: float, freedom: float, level: float) -> float:
    """How often a two-sided t test at ``level`` finds a true difference.

    Args:
        effect: The difference in standard errors.
        freedom: Degrees of freedom.
        level: Of the test.
    """
    needed = _quantile(level / 2, freedom) * _spreads(freedom)
    return float(np.mean(special.ndtr(effect - needed) + special.ndtr(-needed - effect)))


@lru_cache(maxsize=4096)
def detectable(freedom: float, level: float) -> float:
    """The difference, in standard errors, that a t test finds with 80 % power."""

    def missing(effect: float) -> float:
        return power(effect, freedom, level) - POWER

    most = 4.0 * (1 + _quantile(level / 2, freedom))
    return float(optimize.brentq(missing, 0.0, most, xtol=1e-6 * most))


def repetitions_for(difference: float, deviation: float, level: float, most: int = 10_000) -> int:
    """How many pairs find ``difference`` with 80 % power; ``most`` if more are needed.

    Args:
        difference: The true one, not zero.
        deviation: Standard deviation of a pair's difference.
        level: Of the two-sided test.
        most: What is not told apart from more.
    """
    low, high = 1, 2
    while high < most and detectable(high - 1, level) * deviation / sqrt(high) > abs(difference):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        seen = detectable(middle - 1, level) * deviation / sqrt(middle) <= abs(difference)
        low, high = (low, middle) if seen else (middle, high)
    return min(high, most)


def _tail(t: float, freedom: float) -> float:
    """How much of Student's t lies above ``t``."""
    return float(special.stdtr(freedom, -t) if freedom < inf else special.ndtr(-t))


@lru_cache(maxsize=4096)
def _quantile(tail: float, freedom: float) -> float:
    return float(-special.stdtrit(freedom, tail) if freedom < inf else -special.ndtri(tail))


@lru_cache(maxsize=256)
def _spreads(freedom: float) -> np.ndarray:
    """Standard deviations that samples show of a true one of 1, each as likely as the others."""
    if freedom == inf:
        return np.ones(1)
    places = (np.arange(_POINTS) + 0.5) / _POINTS
    return np.sqrt(2 * special.gammaincinv(freedom / 2, places) / freedom)
