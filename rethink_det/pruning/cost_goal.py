"""What a network may cost when it is pruned, instead of how much of each layer goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rethink_det.architecture import PrunedArchitecture
from rethink_det.bounds import is_finite
from rethink_det.errors import UserError, shown

PARAMS, MACS, LATENCY, LATENCY_MS = QUANTITIES = ('params', 'macs', 'latency', 'latency_ms')
"""Keys of a pruner's config: a share of what the network costs, below 1, or a number; of the
latency these have a key each, and numbers are milliseconds."""

Costs = Callable[[PrunedArchitecture, str], float]
"""What a network of an architecture costs of a quantity, all of it: head, neck and detector."""

TOLERANCE = 0.02
"""How far from a goal, of it, a network is said to have reached it."""


@dataclass(frozen=True)
class CostGoal:
    """What a network may cost.

    Attributes:
        quantity: One of :data:`QUANTITIES`.
        value: A share of what it costs before, below 1, or what it costs afterwards.
    """

    quantity: str
    value: float

    @property
    def is_latency(self) -> bool:
        """Whether it is one of time, which is measured and not counted."""
        return self.quantity in (LATENCY, LATENCY_MS)

    @property
    def is_share(self) -> bool:
        """Whether it is a share of what the network costs before."""
        return self.quantity == LATENCY or (self.value < 1 and self.quantity != LATENCY_MS)

    @staticmethod
    def of(settings: Mapping[str, Any], who: str) -> 'CostGoal | None':
        """The goal in a pruner's config, if it has one.

        Args:
            settings: The config.
            who: Of whom, for messages.

        Raises:
            UserError: There are several, or it is no number above 0.
        """
        said = [name for name in QUANTITIES if settings.get(name) is not None]
        if len(said) > 1:
            raise UserError(f'{who}: give either {" or ".join(said)}, one goal at a time.')
        if not said:
            return None
        value = settings[said[0]]
        positive = is_finite(value) and value > 0
        if not positive or not _may_be(said[0], value):
            raise UserError(f'{who}: {said[0]} must be {_MEANT[said[0]]}, got {shown(value)}.')
        return CostGoal(said[0], value)

    def wanted(self, whole: float) -> float:
        """What it is in numbers.

        Args:
            whole: What the network costs before.
        """
        return self.value * whole if self.is_share else self.value

    def shown(self, cost: float) -> str:
        """A cost as messages say it.

        Args:
            cost: In numbers; of a latency milliseconds.
        """
        return f'{cost:,.2f} ms' if self.is_latency else f'{cost:,.0f}'


_SHARE_OR_NUMBER = 'a share below 1 or a number above it'
_MEANT = {
    PARAMS: _SHARE_OR_NUMBER,
    MACS: _SHARE_OR_NUMBER,
    LATENCY: 'a share below 1 (milliseconds are latency_ms)',
    LATENCY_MS: 'milliseconds above 0',
}


def _may_be(quantity: str, value: float) -> bool:
    """Whether a positive number can be a goal for a quantity."""
    return value < 1 if quantity == LATENCY else value != 1 or quantity == LATENCY_MS


def classifier_costs(architecture: PrunedArchitecture, quantity: str) -> float:
    """Of backbone and head."""
    return float(getattr(architecture.cost(), quantity))


@dataclass(frozen=True)
class Reached:
    """How near to its goal a network came.

    Attributes:
        goal: The goal.
        before: What the network cost.
        after: What it costs.
        setting: What was found: the ratio, or ratios by layer.
        most: Whether no more could go, though more was asked for.
        measured: What it costs as measured in turns with the network before, of a latency, whose
            other numbers are of a table.
        basis: How a latency was told, in a line; empty of what is counted.
    """

    goal: CostGoal
    before: float
    after: float
    setting: Any
    most: bool = False
    measured: float | None = None
    basis: str = ''

    @property
    def off(self) -> float:
        """How far from the goal it is, of it."""
        wanted = self.goal.wanted(self.before)
        return (self.after - wanted) / wanted

    def __str__(self) -> str:
        name, wanted, shown = self.goal.quantity, self.goal.wanted(self.before), self.goal.shown
        text = (
            f'{name}: asked for {shown(wanted)} ({wanted / self.before:.1%}), got '
            f'{shown(self.after)} ({self.after / self.before:.1%}), {self.off:+.1%} of what was '
            'asked for'
        )
        if self.measured is not None:
            apart = (self.measured - wanted) / wanted
            text += f'; measured in turns with the network before: {shown(self.measured)}, '
            text += f'{apart:+.1%}'
        if abs(self.off) <= TOLERANCE:
            return text
        if self.most:
            return f'{text}: the method can take no more from this network'
        return f'{text}: no ratio that the method can be told comes nearer'
