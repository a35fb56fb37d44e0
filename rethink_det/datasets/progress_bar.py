"""A progress bar that stays out of the way of quick work."""

from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

Item = TypeVar('Item')


def progress(items: Iterable[Item], total: int, what: str, patience: float = 3.0) -> Iterator[Item]:
    """Yields the items; draws a bar on stderr once it has taken ``patience`` seconds."""
    start, bar, task = monotonic(), None, None
    try:
        for done, item in enumerate(items):
            yield item
            if bar is None and monotonic() - start > patience:
                bar = Progress(console=Console(stderr=True))
                task = bar.add_task(what, total=total)
                bar.start()
            if bar is not None:
                bar.update(task, completed=done + 1)
    finally:
        if bar is not None:
            bar.stop()
