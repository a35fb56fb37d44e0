"""How long a run took, over all the times that it was begun."""

import time
from dataclasses import replace
from pathlib import Path

import torch

from rethink_det.layout import CONSOLE, RECIPE, TIMES
from rethink_det.report.run_times import Sitting, Times, read_times
from rethink_det.report.spent import CPU, GPU
from rethink_det.training.together import attended_here


class Stopwatch:
    """Keeps the times of a run in its folder, so that those of a broken-off attempt count.

    Args:
        folder: Of the run, which is there.

    Attributes:
        times: So far.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / TIMES
        before = read_times(folder)
        if before is None:  # whoever was here wrote a console
            before = Times(complete=not (folder / CONSOLE).exists())
        closed = tuple(_closed(one, folder) for one in before.sittings)
        now = Sitting(time.time(), *_devices(), sharing=_sharing())
        self._started = time.perf_counter()
        self._write(Times((*closed, now), before.complete))

    def stop(self) -> Times:
        """The run is done."""
        *earlier, last = self.times.sittings
        seconds = round(time.perf_counter() - self._started, 2)
        done = replace(last, seconds=seconds)
        self._write(Times((*earlier, done), self.times.complete))
        return self.times

    def _write(self, times: Times) -> None:
        self.times = times
        times.write(self._path)


def _closed(sitting: Sitting, folder: Path) -> Sitting:
    """A sitting that is over; if nobody said so, with the last sign of life in the folder."""
    if sitting.seconds is not None:
        return sitting
    written = (path for path in folder.rglob('*') if path.is_file() and path.name != RECIPE)
    signs = [path.stat().st_mtime for path in written]  # a recipe is written anew each time
    lasted = max([sitting.begun, *signs]) - sitting.begun
    return replace(sitting, seconds=round(lasted, 2))


def _sharing() -> int:
    """How many runs are computed together with this one, itself included."""
    attended = attended_here()
    return 1 if attended is None else attended[0].size


def _devices() -> tuple[str, int]:
    """Kind and number: the GPUs of all processes, or the cores that torch computes on."""
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    processes = torch.distributed.get_world_size() if distributed else 1
    if torch.cuda.is_available():
        return GPU, processes
    return CPU, processes * torch.get_num_threads()
