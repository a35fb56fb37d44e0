"""Measuring after a training: what cannot be measured is said, and costs nothing else."""

import traceback
from collections.abc import Callable
from typing import TypeVar

from rethink_det.errors import UserError, in_one_line

T = TypeVar('T')
Number = TypeVar('Number', int, float)


class Attempts:
    """Does one measurement after the other; hours of training are not thrown away for one.

    Whoever ends the program still ends it: what is no ``Exception`` passes.
    """

    def __init__(self) -> None:
        self._reasons: dict[str, list[str]] = {}

    def __call__(self, name: str, measure: Callable[[], T]) -> T | None:
        """What ``measure`` gives; None if it fails, and its traceback is printed.

        Args:
            name: Of what is measured, for :attr:`unmeasured`.
            measure: Raises if it cannot be.
        """
        try:
            return measure()
        except Exception as error:
            traceback.print_exc()
            self._reasons.setdefault(in_one_line(error), []).append(name)
            return None

    @property
    def unmeasured(self) -> str | None:
        """What failed and why, ``'latency_ms, stages: RuntimeError: out of memory; ...'``."""
        told = [f'{", ".join(names)}: {reason}' for reason, names in self._reasons.items()]
        return '; '.join(told) or None


def known(value: T | None, name: str) -> T:
    """A measured value that another measurement needs.

    Raises:
        UserError: It could not be measured.
    """
    if value is None:
        raise UserError(f'{name} is not known')
    return value


def positive(value: Number) -> Number:
    """A number that counts or costs something; not a finite one above 0 is no measurement.

    Raises:
        UserError: It is not.
    """
    if not 0 < value < float('inf'):
        raise UserError(f'it came out as {value}')
    return value
