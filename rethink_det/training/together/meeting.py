"""Where the runs of a group meet in every step.

Each run is a thread that runs as if it were alone, and only one of them runs at a time: until it
has a batch whose loss it wants to know. There it waits for the others. The last to arrive computes
the step for all, and they go on, one after the other.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeAlias

from rethink_det.training.together.place import Place
from rethink_det.training.together.process_state import ProcessState
from rethink_det.training.together.repeated import RepeatedSteps, Steps
from rethink_det.training.together.side_by_side import Found, Step


@dataclass(frozen=True)
class Arrival:
    """A member that waits for its step.

    Attributes:
        place: Of the member.
        kind: What members must share to be computed by one step, the batch's shape included.
        step: What it brings.
    """

    place: Place
    kind: tuple
    step: Step


Answer: TypeAlias = Found | BaseException


@dataclass
class Meeting:
    """The meeting of the members of a group.

    Attributes:
        size: How many there are in the beginning.
        compute: What computes a step.
    """

    size: int
    compute: Callable[[Steps], list[Found | None]] = field(default_factory=RepeatedSteps)
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _begun: ProcessState = field(default_factory=ProcessState.now)
    _living: int = field(init=False)
    _waiting: dict[int, Arrival] = field(default_factory=dict)
    _answers: dict[int, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._living = self.size

    @contextmanager
    def attended(self, number: int) -> Iterator[None]:
        """Within this context, in a thread of its own, a member runs; in the end it leaves.

        Args:
            number: Of the member, from 0.
        """
        with self._turn:
            self._begun.restore()
            token = _MEMBER.set((self, number))
            try:
                yield
            finally:
                _MEMBER.reset(token)
                self._living -= 1
                self._turn.notify_all()  # it may be the one that the others wait for

    def over(self) -> None:
        """All have left: the process is as it was before them."""
        self._begun.restore()

    def step(self, number: int, arrival: Arrival) -> Found:
        """What a step comes to for a member, when all the others have arrived as well.

        Args:
            number: Of the member.
            arrival: What it brings.

        Raises:
            UserError: As of :func:`~.side_by_side.step_together`.
        """
        self._waiting[number] = arrival
        while number not in self._answers:
            # By one that waits: under the autocast, say, that the step is to be computed under.
            if len(self._waiting) == self._living:
                self._compute()
            else:
                own = ProcessState.now()
                self._turn.wait()
                own.restore()
        answer = self._answers.pop(number)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _compute(self) -> None:
        for numbers in self._batches():
            self._answers.update(self._computed(numbers))
        self._waiting.clear()
        self._turn.notify_all()

    def _batches(self) -> list[list[int]]:
        """The members that wait, in lists of those that one step computes.

        Usually there is one list. Runs that were broken off and go on may have the same place.
        """
        found: list[tuple[tuple, dict[int, int]]] = []
        for number, arrival in sorted(self._waiting.items()):
            kind = (arrival.place.size, *arrival.kind)
            place = arrival.place.number
            taken = next((t for k, t in found if k == kind and place not in t), None)
            if taken is None:
                taken = {}
                found.append((kind, taken))
            taken[place] = number
        return [list(taken.values()) for _, taken in found]

    def _computed(self, numbers: Sequence[int]) -> dict[int, Answer]:
        arrivals = {number: self._waiting[number] for number in numbers}
        size = arrivals[numbers[0]].place.size
        steps: list[Step | None] = [None] * size
        for arrival in arrivals.values():
            steps[arrival.place.number] = arrival.step
        try:
            found = self.compute(steps)
        except Exception as error:  # it is everyone's
            return dict.fromkeys(numbers, error)
        return {n: _known(found[one.place.number]) for n, one in arrivals.items()}


def _known(found: Found | None) -> Found:
    assert found is not None, 'a member was left out'
    return found


_MEMBER: ContextVar[tuple[Meeting, int] | None] = ContextVar('member', default=None)
"""The meeting that the run of this thread attends, and which member it is."""


def attended_here() -> tuple[Meeting, int] | None:
    """The meeting that the run of this thread attends, and its number; None if it runs alone."""
    return _MEMBER.get()
