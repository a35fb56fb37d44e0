"""How long a run took, over all the times that it was begun."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from rethink_det.errors import UserError
from rethink_det.files import save_json
from rethink_det.layout import CONSOLE, RECIPE, TIMES
from rethink_det.report.schema import NEEDED, read, read_file
from rethink_det.report.spent import CPU, GPU

FORMAT, VERSION = 'rethink_det.run_times', 1
REMEDY = 'delete it, and how long the run took before is not known'


@dataclass(frozen=True)
class Sitting:
    """One time that a run was begun.

    Attributes:
        begun: Seconds since 1970.
        kind: Of device that it computed on.
        devices: How many.
        seconds: Until it was done or broken off; None while it goes on.
    """

    begun: float
    kind: str
    devices: int
    seconds: float | None = None


@dataclass(frozen=True)
class Times:
    """The content of ``times.json``.

    Attributes:
        sittings: In order.
        complete: Whether they are all; a run that was begun by an older release had others.
    """

    sittings: tuple[Sitting, ...] = field(default=(), metadata=NEEDED)
    complete: bool = True

    @property
    def seconds(self) -> float:
        """Of all together, by the clock on the wall."""
        return round(sum(one.seconds or 0 for one in self.sittings), 2)

    @property
    def device_s(self) -> dict[str, float]:
        """The same times devices, by their kind."""
        found: dict[str, float] = {}
        for one in self.sittings:
            found[one.kind] = found.get(one.kind, 0) + (one.seconds or 0) * one.devices
        return {kind: round(seconds, 2) for kind, seconds in found.items()}


class Stopwatch:
    """Keeps the times of a run in its folder, so that those of a broken-off attempt count.

    Args:
        folder: Of the run, which is there.

    Attributes:
        times: So far.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / TIMES
        before = _read(self._path)
        if before is None:  # whoever was here wrote a console
            before = Times(complete=not (folder / CONSOLE).exists())
        closed = tuple(_closed(one, folder) for one in before.sittings)
        now = Sitting(time.time(), *_devices())
        self._started = time.perf_counter()
        self._write(Times((*closed, now), before.complete))

    def stop(self) -> Times:
        """The run is done."""
        *earlier, last = self.times.sittings
        seconds = round(time.perf_counter() - self._started, 2)
        done = Sitting(last.begun, last.kind, last.devices, seconds)
        self._write(Times((*earlier, done), self.times.complete))
        return self.times

    def _write(self, times: Times) -> None:
        self.times = times
        save_json({'format': FORMAT, 'version': VERSION, **asdict(times)}, self._path)


def _read(path: Path) -> Times | None:
    """What is kept; None if there is nothing, or it is damaged: no run is lost for that."""
    try:
        return read(Times, read_file(path, FORMAT, VERSION, REMEDY), str(path), REMEDY)
    except (FileNotFoundError, UserError):
        return None


def _closed(sitting: Sitting, folder: Path) -> Sitting:
    """A sitting that is over; if nobody said so, with the last sign of life in the folder."""
    if sitting.seconds is not None:
        return sitting
    written = (path for path in folder.rglob('*') if path.is_file() and path.name != RECIPE)
    signs = [path.stat().st_mtime for path in written]  # a recipe is written anew each time
    lasted = max([sitting.begun, *signs]) - sitting.begun
    return Sitting(sitting.begun, sitting.kind, sitting.devices, round(lasted, 2))


def _devices() -> tuple[str, int]:
    """Kind and number: the GPUs of all processes, or the cores that torch computes on."""
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    processes = torch.distributed.get_world_size() if distributed else 1
    if torch.cuda.is_available():
        return GPU, processes
    return CPU, processes * torch.get_num_threads()
