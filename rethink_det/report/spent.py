"""What work took: multiply-adds by what they were for, and the time of devices."""

from collections.abc import Mapping
from dataclasses import dataclass

CPU, GPU = 'CPU core', 'GPU'
"""Kinds of devices."""


@dataclass(frozen=True)
class Spent:
    """What a run took, or everything that led to its result.

    None stands for what is not known; of what is known to be left out :attr:`not_counted` tells.

    Attributes:
        training: MACs: three forward passes for each image and epoch.
        pruning: MACs of the passes in which a pruner looked at images.
        evaluation: MACs of the passes over the images of the evaluations.
        device_s: Seconds, times devices, by kind of device: ``{'GPU': 3600.0}``.
        not_counted: What it took that is in none of these numbers, in words.
    """

    training: float | None = None
    pruning: float | None = None
    evaluation: float | None = None
    device_s: Mapping[str, float] | None = None
    not_counted: tuple[str, ...] = ()

    def __add__(self, other: 'Spent') -> 'Spent':
        """Both together; what is unknown of one of them is unknown."""
        return Spent(
            total(self.training, other.training),
            total(self.pruning, other.pruning),
            total(self.evaluation, other.evaluation),
            _both(self.device_s, other.device_s),
            tuple(dict.fromkeys((*self.not_counted, *other.not_counted))),
        )

    @property
    def macs(self) -> float | None:
        """All of them."""
        return total(self.training, self.pruning, self.evaluation)


NOTHING = Spent(0, 0, 0, {})


def total(*parts: float | None) -> float | None:
    """The sum; None if a part is unknown."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _both(
    one: Mapping[str, float] | None, other: Mapping[str, float] | None
) -> dict[str, float] | None:
    if one is None or other is None:
        return None
    return {kind: one.get(kind, 0) + other.get(kind, 0) for kind in {**one, **other}}
