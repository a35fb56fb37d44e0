"""The ratio at which a network costs what it may: found by trying, on the architecture alone."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.errors import UserError
from rethink_det.latency import NetworkLatency
from rethink_det.pruning.cost_goal import CostGoal, Costs, Reached

if TYPE_CHECKING:
    from rethink_det.pruning.pruner import Pruner

STEPS = 14
"""Of narrowing: a handful will do, but where few channels are left to choose from."""
NARROWEST = 0.15
"""Of what is left, the least that a step takes away."""
CLOSE, CLOSE_TIME = 0.002, 0.01
"""Of the goal: near enough; a time is not measured any better."""
HIGHEST = 0.99

Setting = float | Mapping[str, float]
"""A ratio, or ratios by layer name pattern."""


@dataclass(frozen=True)
class _Tried:
    """A setting, and what the network would cost."""

    setting: Setting
    cost: float


class Search:
    """What pruned networks would cost.

    Args:
        pruner: That has a goal.
        surgeon: Of the network, which stays as it is.
        architecture: What it is.
        costs: Of an architecture.
        latency: What these are of, if they are times: the network that is found is measured once,
            and the search repeated if it takes otherwise than was thought.
    """

    def __init__(
        self,
        pruner: 'Pruner',
        surgeon: Surgeon,
        architecture: PrunedArchitecture,
        costs: Costs,
        latency: NetworkLatency | None = None,
    ) -> None:
        assert pruner.goal is not None
        self.pruner, self.goal = pruner, pruner.goal
        self.surgeon, self.architecture, self.costs = surgeon, architecture, costs
        self.latency = latency
        self.whole = costs(architecture, self.goal.quantity)
        self.wanted = self.goal.wanted(self.whole)
        self._close = CLOSE_TIME if self.goal.is_latency else CLOSE

    def found(self) -> tuple['Pruner', Reached]:
        """The pruner told the ratio that comes nearest, and how near it comes.

        Raises:
            UserError: The network costs no more than it may as it is.
        """
        self.check()
        with _quietly():
            best = self._nearest()
            if self.latency and self.latency.correct(self._at(best.setting)):
                best = self._nearest()
        most = best.setting == HIGHEST
        reached = Reached(self.goal, self.whole, best.cost, best.setting, most)
        return self.pruner.at(best.setting), reached

    def check(self) -> None:
        """Refuse a goal that the network has reached as it is; raises :class:`UserError`."""
        if self.wanted >= self.whole:
            raise UserError(
                f'{type(self.pruner).__name__}: {self.goal.quantity} is to be '
                f'{self.goal.shown(self.wanted)}, and the network has '
                f'{self.goal.shown(self.whole)}: nothing is to go.'
            )

    def _nearest(self) -> _Tried:
        least = self._try(HIGHEST)
        if least.cost >= self.wanted:
            return least
        above, below = _Tried(0.0, self.whole), least
        for _ in range(STEPS):
            if self._is_close(above) or self._is_close(below):
                break
            middle = self._try(self._between(above, below))
            above, below = (middle, below) if middle.cost > self.wanted else (above, middle)
        nearest = self._nearer(above, below)
        layers = self.pruner.turned_layers(self.surgeon)
        if self._is_close(nearest) or len(layers) < 2:
            return nearest
        return self._nearer(nearest, self._mixed(layers, _ratio(above), _ratio(below)))

    def _between(self, above: _Tried, below: _Tried) -> float:
        """Where the goal lies if costs fall as the square of what is left; never at an end."""
        high, wanted, low = (sqrt(max(c, 0)) for c in (above.cost, self.wanted, below.cost))
        share = min(max((high - wanted) / max(high - low, 1e-9), NARROWEST), 1 - NARROWEST)
        return _ratio(above) + share * (_ratio(below) - _ratio(above))

    def _mixed(self, layers: Sequence[str], low: float, high: float) -> _Tried:
        """The first layers lose a channel more than the others: so many that it fits."""
        fewest, most = 0, len(layers)
        best = _Tried(high, 0)
        while most - fewest > 1:
            number = (fewest + most) // 2
            tried = self._try({**dict.fromkeys(layers[:number], high), '*': low})
            best = self._nearer(best, tried)
            fewest, most = (number, most) if tried.cost > self.wanted else (fewest, number)
        return best

    def _try(self, setting: Setting) -> _Tried:
        return _Tried(setting, self.costs(self._at(setting), self.goal.quantity))

    def _at(self, setting: Setting) -> PrunedArchitecture:
        cut = self.pruner.at(setting).preview(self.surgeon, self.architecture)
        return self.architecture.after(cut)

    def _nearer(self, one: _Tried, other: _Tried) -> _Tried:
        return min(one, other, key=self._distance)

    def _is_close(self, one: _Tried) -> bool:
        return self._distance(one) <= self._close * self.wanted

    def _distance(self, one: _Tried) -> float:
        return abs(one.cost - self.wanted)


def _ratio(tried: _Tried) -> float:
    assert not isinstance(tried.setting, Mapping)
    return tried.setting


@contextmanager
def _quietly() -> Iterator[None]:
    """What is only tried has nothing to say."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield


def settings_without_goal(kind: type['Pruner'], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a pruner is told besides its goal.

    Args:
        kind: Its class.
        settings: Its config, with a goal.

    Raises:
        UserError: It has no ratio that could be found, or is told one.
    """
    goal, name = CostGoal.of(settings, kind.__name__), kind.__name__
    assert goal is not None
    if kind.dial is None:
        raise UserError(
            f'{name} has no ratio that could be found for {goal.quantity}: what goes is what its '
            'training drove to zero.'
        )
    if goal.is_latency and not kind.shrinks:
        raise UserError(
            f'{name}: {goal.quantity} cannot be reached by weights under masks: no operation is '
            'faster for them. Ask for params or macs.'
        )
    said = next((key for key in (kind.dial, 'target') if settings.get(key) is not None), None)
    if said:
        raise UserError(f'{name}: give either {goal.quantity} or {said}, not both.')
    return {key: value for key, value in settings.items() if key != goal.quantity}
