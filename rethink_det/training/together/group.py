"""Doing several runs in one process, each as if it were alone, up to their steps."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Generic, TypeVar

from rethink_det.training.together.meeting import Meeting

T = TypeVar('T')


@dataclass(frozen=True)
class Ended(Generic[T]):
    """What became of a run of a group.

    Attributes:
        value: What it gave; None if it failed.
        error: Why it failed; None if it did not.
        trace: Where, as Python tells it.
    """

    value: T | None = None
    error: BaseException | None = None
    trace: str = ''


def run_together(works: Sequence[Callable[[], T]]) -> list[Ended[T]]:
    """Do all of it in one thread each, of which one runs at a time.

    Trainings by ``FastEpochLoop(together=True)`` in there compute their steps together. One that
    fails leaves the others to themselves.

    Args:
        works: The runs, members of one group.
    """
    meeting = Meeting(len(works))
    ended: list[Ended[T]] = [Ended()] * len(works)

    def member(number: int) -> None:
        try:
            with meeting.attended(number):
                ended[number] = Ended(works[number]())
        except BaseException as error:  # noqa: BLE001 - it is told to whoever waits for the run
            ended[number] = Ended(None, error, traceback.format_exc())

    threads = [Thread(target=member, args=(i,), daemon=True) for i in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meeting.over()
    return ended
