"""``latencies.json``: how long the detectors of a study take for an image, measured side by side.

What a run measures at its own end is of whatever else the machine did then. This file is of one
process that let all networks look at the same images in turns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from os import PathLike
from pathlib import Path

from rethink_det.files import plain, save_json
from rethink_det.layout import LATENCIES
from rethink_det.moved import warn_of
from rethink_det.report.run_result import RunResult
from rethink_det.report.schema import NEEDED, read, read_file, within

FORMAT, VERSION = 'rethink_det.latencies', 1
REMEDY = 'delete it; rethink-det report DIR --latency measures anew'


@dataclass(frozen=True)
class Measured:
    """One network; networks of one shape are one.

    Attributes:
        latency_ms: Median over rounds, batch 1.
        runs: Digests of the weights by the keys of the runs that ended in such a network; the
            first is the one that was measured.
    """

    latency_ms: float = field(metadata=within(0))
    runs: Mapping[str, str]


@dataclass(frozen=True)
class Latencies:
    """The content of the file.

    Attributes:
        device: Where it was measured.
        networks: Of all detectors.
        missing: Keys of runs that could not be measured, and why.
    """

    device: str
    networks: tuple[Measured, ...] = field(metadata=NEEDED)
    missing: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, work_dir: Path) -> 'Latencies | None':
        """Of a study; None if nobody measured.

        Raises:
            UserError: The file is damaged.
        """
        path = Path(work_dir) / LATENCIES
        try:
            return read(cls, read_file(path, FORMAT, VERSION, REMEDY), str(path), REMEDY)
        except FileNotFoundError:
            return None

    def write(self, work_dir: Path) -> Path:
        """Write it, atomically."""
        path = Path(work_dir) / LATENCIES
        save_json({'format': FORMAT, 'version': VERSION, **plain(asdict(self))}, path)
        return path

    def of(self, run: RunResult) -> float | None:
        """That of a run's network; None if it was not measured, or trained anew since."""
        for network in self.networks:
            if run.digest is not None and network.runs.get(run.key or '') == run.digest:
                return network.latency_ms
        return None


def side_by_side(
    runs: Iterable[RunResult], told: Latencies | str | PathLike | None
) -> tuple[list[RunResult], bool]:
    """Runs with latencies that were measured together, if they are of all, and whether they are.

    Args:
        runs: The completed ones of one (stage, model).
        told: Of their study; None if nobody measured. The folder of the study, as in the last
            release, is read, with a warning.

    Raises:
        UserError: The file in such a folder is damaged.
    """
    if isinstance(told, (str, PathLike)):
        warn_of('side_by_side(runs, work_dir)', 'side_by_side(runs, Latencies.read(work_dir))')
        told = Latencies.read(Path(told))
    runs = list(runs)
    found = [None if told is None else told.of(run) for run in runs]
    if told is None or None in found:
        return runs, False
    pairs = zip(runs, found, strict=True)
    return [replace(run, latency_ms=ms, latency_device=told.device) for run, ms in pairs], True
