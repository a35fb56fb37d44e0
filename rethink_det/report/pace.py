"""How long a run is going to take, by those like it that are done."""

from collections.abc import Iterable
from typing import NamedTuple

from rethink_det.report.run_result import RunResult


class Kind(NamedTuple):
    """What runs have in common that take about as long, the closest last.

    Attributes:
        stage: What kind of run it is.
        model: Of what is trained, and the variant.
        arm: Name of the arm.
    """

    stage: str
    model: str
    arm: str


class Pace:
    """Knows how long finished runs took.

    Args:
        done: Finished runs; of those that do not know how long they took nothing is learnt.
    """

    def __init__(self, done: Iterable[RunResult] = ()) -> None:
        self._took: dict[tuple[str, ...], tuple[float, int]] = {}
        for run in done:
            self.learn(run)

    def learn(self, run: RunResult) -> None:
        """Take in another finished run."""
        kind = Kind(run.stage, run.model, run.arm)
        for length in range(1, len(kind) + 1):
            seconds, number = self._took.get(kind[:length], (0.0, 0))
            if run.wall_s is not None:
                self._took[kind[:length]] = seconds + run.wall_s, number + 1

    def seconds(self, kind: Kind, least: int = 1) -> float | None:
        """The mean of the runs that have most in common with one; None if there are none.

        Args:
            kind: Of that run.
            least: How much they must have in common: 3, all of it; 1, the stage alone.
        """
        for length in range(len(kind), least - 1, -1):
            seconds, number = self._took.get(kind[:length], (0.0, 0))
            if number:
                return seconds / number
        return None


def duration(seconds: float) -> str:
    """A time for people: ``'40 s'``, ``'12 min'``, ``'3.5 h'``, ``'2.1 d'``."""
    for unit, length, most in (('s', 1, 100), ('min', 60, 100), ('h', 3600, 48)):
        if seconds < most * length:
            digits = 1 if unit == 'h' else 0
            return f'{seconds / length:.{digits}f} {unit}'
    return f'{seconds / 86400:.1f} d'
