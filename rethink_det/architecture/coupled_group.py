"""The value: layers whose output channels live and die together, and in which portions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from rethink_det.errors import UserError

Channels = Mapping[str, tuple[int, ...]]
"""Layer to some of its output channels, sorted."""

Unit = Channels
"""Channels of which none can go without the others."""


@dataclass(frozen=True)
class CoupledGroup:
    """Layers whose output channels live and die together.

    Attributes:
        widths: How many output channels each convolution or linear layer of it has, by name, in
            the network's order.
        kinds: Its units; those of a kind are read and made by the same layers in the same way.
            Of each kind the same share goes, so that what a network splits in halves stays so.
        fixed: Channels that always stay.
        obstacle: Why nothing of the group can go, or ``None`` if something can.
        halves: Of parts that a network splits and that are as wide as one another, how many more
            channels a unit of each kind has in the one than in the other: in all none.
    """

    widths: Mapping[str, int]
    kinds: tuple[tuple[Unit, ...], ...]
    fixed: Channels = field(default_factory=dict)
    obstacle: str | None = None
    halves: tuple[tuple[int, ...], ...] = ()

    @property
    def members(self) -> tuple[str, ...]:
        """Names of its layers."""
        return tuple(self.widths)

    @property
    def root(self) -> str:
        """What the group is called by: its first layer."""
        return self.members[0]

    def numbers(self, share: Fraction) -> list[int]:
        """How many units of each kind that share of them is, rounded down, but not to nothing.

        Where that would leave parts of unequal width that are equal, the nearest that does not.
        """
        numbers = [max(1, int(len(units) * share)) for units in self.kinds]
        if not np.any(np.array(self.halves, int).reshape(-1, len(numbers)) @ numbers):
            return numbers
        return self._balanced(float(share)) or numbers

    def _balanced(self, share: float) -> list[int] | None:
        """Whole numbers of units that leave equal parts equal, nearest to a share of each."""
        sizes = np.array([len(units) for units in self.kinds])
        kinds, halves = len(sizes), np.array(self.halves)
        # Beside each number a variable for its distance from the share, which is made small.
        unit, zero = np.eye(kinds), np.zeros_like(halves)
        found = milp(
            np.concatenate([np.zeros(kinds), np.ones(kinds)]),
            integrality=np.concatenate([np.ones(kinds), np.zeros(kinds)]),
            bounds=Bounds(np.repeat([1, 0], kinds), np.concatenate([sizes, sizes])),
            constraints=[
                LinearConstraint(np.hstack([halves, zero]), 0, 0),
                LinearConstraint(np.hstack([unit, -unit]), ub=share * sizes),
                LinearConstraint(np.hstack([unit, unit]), lb=share * sizes),
            ],
        )
        return None if found.x is None else [round(number) for number in found.x[:kinds]]

    def shares(self) -> list[Fraction]:
        """All shares that make different numbers of units, from the smallest to the whole."""
        steps = {len(units) for units in self.kinds}
        return sorted({Fraction(number, step) for step in steps for number in range(1, step + 1)})

    def widths_of(self, numbers: Sequence[int]) -> dict[str, int]:
        """How many channels the layers keep if so many units of each kind stay."""
        widths = {name: len(self.fixed.get(name, ())) for name in self.members}
        for units, number in zip(self.kinds, numbers, strict=True):
            for name, channels in units[0].items():
                widths[name] += number * len(channels)
        return widths

    def numbers_for(self, counts: Mapping[str, int]) -> list[int]:
        """How many units of each kind stay, so that layers keep so many channels.

        Args:
            counts: Some layers, or all, and how many channels they keep.

        Raises:
            UserError: The group cannot be cut, or no share of its units makes these counts.
        """
        if all(count == self.widths[name] for name, count in counts.items()):
            return self.numbers(Fraction(1))
        if self.obstacle:
            raise UserError(f'Layer {self.root} cannot be pruned: {self.obstacle}.')
        for numbers in map(self.numbers, self.shares()):
            if counts.items() <= self.widths_of(numbers).items():
                return numbers
        told = ', '.join(f'{name} {count} of {self.widths[name]}' for name, count in counts.items())
        raise UserError(
            f'Layers that are tied to one another cannot keep such numbers of channels: {told}.'
        )

    def kept(self, units: Iterable[Unit]) -> dict[str, tuple[int, ...]]:
        """What every layer keeps if these units stay."""
        kept: dict[str, list[int]] = {name: [*self.fixed.get(name, ())] for name in self.members}
        for unit in units:
            for name, channels in unit.items():
                kept[name].extend(channels)
        return {name: tuple(sorted(channels)) for name, channels in kept.items()}
