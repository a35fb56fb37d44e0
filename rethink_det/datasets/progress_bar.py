"""A progress bar that stays out of the way of quick work."""

from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, TaskID

Item = TypeVar('Item')


def progress(items: Iterable[Item], total: int, what: str, patience: float = 3.0) -> Iterator[Item]:
    """Yields the items; draws a bar on stderr once it has taken ``patience`` seconds."""
    start = monotonic()
    drawn: tuple[Progress, TaskID] | None = None
    try:
        for done, item in enumerate(items):
            yield item
            if drawn is None and monotonic() - start > patience:
                bar = Progress(console=Console(stderr=True))
                drawn = bar, bar.add_task(what, total=total)
                bar.start()
            if drawn is not None:
                bar, task = drawn
                bar.update(task, completed=done + 1)
    finally:
        if drawn is not None:
            drawn[0].stop()
