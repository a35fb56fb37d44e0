"""What a network may cost when it is pruned, instead of how much of each layer goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rethink_det.architecture import PrunedArchitecture
from rethink_det.bounds import is_finite
from rethink_det.errors import UserError, shown

PARAMS, MACS = QUANTITIES = ('params', 'macs')
"""Keys of a pruner's config: a share of what the network costs, below 1, or a number."""

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
        if not is_finite(value) or value <= 0 or value == 1:
            raise UserError(
                f'{who}: {said[0]} must be a share below 1 or a number above it, '
                f'got {shown(value)}.'
            )
        return CostGoal(said[0], value)

    def wanted(self, whole: float) -> float:
        """What it is in numbers.

        Args:
            whole: What the network costs before.
        """
        return self.value * whole if self.value < 1 else self.value


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
    """

    goal: CostGoal
    before: float
    after: float
    setting: Any
    most: bool = False

    @property
    def off(self) -> float:
        """How far from the goal it is, of it."""
        wanted = self.goal.wanted(self.before)
        return (self.after - wanted) / wanted

    def __str__(self) -> str:
        name, wanted = self.goal.quantity, self.goal.wanted(self.before)
        text = (
            f'{name}: asked for {wanted:,.0f} ({wanted / self.before:.1%}), got {self.after:,.0f} '
            f'({self.after / self.before:.1%}), {self.off:+.1%} of what was asked for'
        )
        if abs(self.off) <= TOLERANCE:
            return text
        if self.most:
            return f'{text}: the method can take no more from this network'
        return f'{text}: no ratio that the method can be told comes nearer'
