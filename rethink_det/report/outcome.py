"""What may be said of one comparison, as data: outcome, interval, and what they rest on."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from rethink_det.report.comparison import Comparison
from rethink_det.report.design import sign_flips
from rethink_det.report.estimate import Estimate, repetitions_for
from rethink_det.report.fairness import Fairness
from rethink_det.report.family import LEVEL

BETTER, WORSE, EQUIVALENT, OPEN = OUTCOMES = ('better', 'worse', 'equivalent', 'open')
"""Of a comparison: of the arm against the baseline."""


@dataclass(frozen=True)
class Verdict:
    """What may be said of one comparison.

    Attributes:
        comparison: Of which arms, on which metric.
        scope: What it is about: ``'networks'`` (the trained networks at hand, on other test
            images), ``'parent'`` (all that comes of this one parent), ``'method'``.
        outcome: ``'better'`` or ``'worse'``: the interval leaves out 0; ``'equivalent'``: it lies
            within the margin; ``'open'``.
        difference: Arm minus baseline, in the metric's own unit.
        interval: Of the difference, as wide as it must be for all claims of the study to hold
            together at 95 %; None where the runs do not tell it, or it is not judged as the
            primary comparison is open.
        n: Repetitions on the smaller side, or pairs: parents, or seeds of the only one.
        primary: Whether it is the one that was named before the runs.
        usual: Whether it would have been judged without that.
        exploratory: Whether another was, and could be judged.
        level: At which it was judged; 0 where it was not.
        margin: The largest difference that does not matter; None if there is none.
        margin_named: Whether that was named, and not taken from the noise of the test images.
        share: The level that it was judged at, or where it was not, would have been at first.
        estimate: The difference with its standard error, degrees of freedom and method.
        deviation: Standard deviation of a pair's difference, or what it would be; None if unknown.
        noise: Standard error of one network's metric over draws of the test images.
        gaps: The pairs' differences; empty without pairs.
        dropped: Seeds that only one side has, where the others are compared pairwise.
        lost: Runs of the two arms that do not count, and why.
        given: Whether the parent was given, and its training not repeated.
        one_network: Whether one side is a single network that was pruned and tuned elsewhere.
        compute_known: Whether what the training of both arms took in all is known.
        parents_known: Whether the rows say which runs share a parent.
        fairness: What the two arms shared besides.
        late: What of it was settled only when there were results, in words; empty if nothing.
        same_test: Whether the runs were evaluated on the same images, as far as they say; of
            different ones nothing is claimed.
    """

    comparison: Comparison
    scope: str
    outcome: str
    difference: float
    interval: tuple[float, float] | None
    n: int
    primary: bool
    usual: bool = True
    exploratory: bool = False
    level: float = LEVEL
    margin: float | None = None
    margin_named: bool = False
    share: float = LEVEL
    estimate: Estimate = Estimate(0.0)
    deviation: float | None = None
    noise: float | None = None
    gaps: tuple[float, ...] = ()
    dropped: tuple[int, ...] = ()
    lost: tuple[str, ...] = ()
    given: bool = False
    one_network: bool = False
    compute_known: bool = True
    parents_known: bool = True
    fairness: Fairness = Fairness(None)
    late: str = ''
    same_test: bool = True

    @property
    def stage(self) -> str:
        """Of the comparison."""
        return self.comparison.stage

    @property
    def model(self) -> str:
        """Of the comparison."""
        return self.comparison.model

    @property
    def judged(self) -> bool:
        """Whether it has an interval that might have settled it."""
        return self.interval is not None

    @property
    def method(self) -> str | None:
        """Of interval and p value."""
        return self.estimate.method

    @property
    def alone(self) -> tuple[float, float] | None:
        """The 95 % interval of this comparison by itself."""
        return self.estimate.interval(LEVEL)

    @property
    def p_value(self) -> float | None:
        """Of this comparison by itself, two-sided."""
        return self.estimate.level_different

    @cached_property
    def detectable(self) -> float | None:
        """The true difference that 80 % of such studies would find at its :attr:`share`."""
        return self.estimate.detectable(self.share)

    @cached_property
    def needed(self) -> int | None:
        """About how many repetitions would settle an open one; None if that is unknown.

        They would find a difference of the margin, or without one that which was seen.
        """
        wish = self.margin or abs(self.difference)
        if self.outcome != OPEN or self.deviation is None or not wish:
            return None
        return repetitions_for(wish, self.deviation, self.share)

    @cached_property
    def flips(self) -> float | None:
        """P value of the sign-flip test over the pairs; None without pairs."""
        return sign_flips(self.gaps) if self.gaps else None

    def to_dict(self) -> dict[str, Any]:
        """Of ``results.json``: the fields and what follows from them."""
        own = {name: value for name, value in asdict(self).items() if name != 'estimate'}
        names = ('method', 'alone', 'p_value', 'detectable', 'needed', 'flips')
        return own | {name: getattr(self, name) for name in names}
