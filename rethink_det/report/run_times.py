"""When a run was begun, how long it took each time, and how far it is: as its folder tells it."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from rethink_det.errors import UserError
from rethink_det.files import save_json
from rethink_det.layout import PROGRESS, TIMES
from rethink_det.report.schema import NEEDED, read, read_file

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
        sharing: How many runs shared the devices, computed together with it, itself included.
    """

    begun: float
    kind: str
    devices: int
    seconds: float | None = None
    sharing: int = 1

    @property
    def own(self) -> float:
        """Its share of the seconds."""
        return (self.seconds or 0) / self.sharing


@dataclass(frozen=True)
class Times:
    """The content of ``times.json``.

    Attributes:
        sittings: In order.
        complete: Whether they are all; a run that was begun by an older release had others.
    """

    sittings: tuple[Sitting, ...] = field(default=(), metadata=NEEDED)
    complete: bool = True

    def write(self, path: Path) -> None:
        """Write them, atomically."""
        save_json({'format': FORMAT, 'version': VERSION, **asdict(self)}, path)

    @property
    def seconds(self) -> float:
        """Of all together, by the clock on the wall; of a run of a group its share."""
        return round(sum(one.own for one in self.sittings), 2)

    @property
    def device_s(self) -> dict[str, float]:
        """The same times devices, by their kind."""
        found: dict[str, float] = {}
        for one in self.sittings:
            found[one.kind] = found.get(one.kind, 0) + one.own * one.devices
        return {kind: round(seconds, 2) for kind, seconds in found.items()}


def read_times(folder: Path) -> Times | None:
    """What is kept in a run's folder; None if there is nothing, or it is damaged.

    No run is lost for that.
    """
    path = folder / TIMES
    try:
        return read(Times, read_file(path, FORMAT, VERSION, REMEDY), str(path), REMEDY)
    except (FileNotFoundError, UserError):
        return None


class Progress(NamedTuple):
    """How far a training is.

    Attributes:
        done: Iterations.
        total: Of them, in all; 0 if nothing is known.
        loss: The last one; None if it is not known.
        epochs: Of the whole training; 0 if it is not known.
    """

    done: int = 0
    total: int = 0
    epochs: int = 0
    loss: float | None = None

    @property
    def text(self) -> str:
        """As it stands in the file: ``'120 400 8 1.32'``."""
        return ' '.join(map(str, (self.done, self.total, self.epochs, self.loss)))

    @property
    def epoch(self) -> int:
        """Which epoch goes on, the first is 1; 0 if it is not known."""
        if not self.epochs or not self.total:
            return 0
        return min(self.epochs, 1 + self.done * self.epochs // self.total)


def read_progress(folder: Path) -> Progress:
    """How far the run in ``folder`` is; an older release wrote iterations alone."""
    try:
        done, total, *more = (folder / PROGRESS).read_text().split()
        epochs, loss = more or ('0', 'None')
        known = None if loss == 'None' else float(loss)
        return Progress(int(done), int(total), int(epochs), known)
    except (OSError, ValueError):
        return Progress()
