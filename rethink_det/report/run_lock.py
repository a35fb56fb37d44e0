"""Who does a run: two studies on one folder share the work, and no run is done twice at once.

Whoever is about to do a run writes a file of its own beside the run's folder, and looks for those
of others *afterwards*: of two that come together at least one sees the other, and who sees a
living one takes its own away again. A file has one owner, who never comes back: to remove that of
a dead one can hurt nobody. Nothing else is asked of the file system, which several machines may
share.
"""

import glob
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from rethink_det.errors import UserError
from rethink_det.files import save_json
from rethink_det.layout import lock_file
from rethink_det.report.schema import read, read_file

FORMAT, VERSION = 'rethink_det.run_lock', 1
BEAT = 10.0
"""Seconds between two signs of life of an owner."""
SILENT = 180.0
"""Seconds without one after which an owner on another machine counts as dead."""
_REMEDY = 'delete it if nobody does this run'


@dataclass(frozen=True)
class Owner:
    """A process that does a run.

    Attributes:
        host: Name of its machine.
        machine: What tells that boot, and that space of process ids, from all others.
        pid: Of the process.
        begun: When the process was started, in the machine's own ticks; None if it does not tell.
        since: When it took the run, ISO 8601.
    """

    host: str
    machine: str
    pid: int
    begun: int | None = None
    since: str = ''

    @classmethod
    def this(cls) -> 'Owner':
        """This process."""
        now = datetime.now(timezone.utc).isoformat(timespec='seconds')
        return cls(socket.gethostname(), _machine(), os.getpid(), _begun(os.getpid()), now)

    @property
    def is_here(self) -> bool:
        """Whether it is, or was, a process of this machine."""
        return self.machine == _machine()

    @property
    def is_gone(self) -> bool:
        """Whether it is known to be dead; of another machine nobody knows."""
        return self.is_here and (_begun(self.pid) != self.begun or not _exists(self.pid))

    def __str__(self) -> str:
        return f'process {self.pid} on {self.host}, since {self.since}'


@dataclass(frozen=True)
class Taken:
    """A run that somebody else does now.

    Attributes:
        folder: Of the run.
        owner: Who does it.
    """

    folder: Path
    owner: Owner


@dataclass
class Lock:
    """The right to do a run, as long as its file is there.

    Attributes:
        path: Its file.
    """

    path: Path
    _over: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Nobody else does the run.

        Raises:
            UserError: It was taken over: this process gave no sign of life for long.
        """
        if not self.path.exists():
            raise UserError(
                f'{self.path} is gone: this process gave no sign of life for {SILENT:.0f} seconds, '
                'and another may do the run now. The same command goes on.'
            )

    def _live(self) -> None:
        while not self._over.wait(BEAT):
            with suppress(OSError):
                os.utime(self.path)


@contextmanager
def lock(folder: Path) -> Iterator[Lock | Taken]:
    """The right to do the run of a folder, or who has it.

    Args:
        folder: Of the run; it need not be there.
    """
    mine = lock_file(folder, uuid.uuid4().hex[:12])
    save_json({'format': FORMAT, 'version': VERSION, **asdict(Owner.this())}, mine)
    held = Lock(mine)
    try:
        owner = next(_living(folder, besides=mine), None)
        if owner is None:
            threading.Thread(target=held._live, daemon=True).start()
            yield held
        else:
            mine.unlink(missing_ok=True)
            yield Taken(folder, owner)
    finally:
        held._over.set()
        mine.unlink(missing_ok=True)


def owner_of(folder: Path) -> Owner | None:
    """Who does the run of a folder now; None if nobody does."""
    return next(_living(folder), None)


def _living(folder: Path, besides: Path | None = None) -> Iterator[Owner]:
    """The living owners of a run; what dead ones left is removed."""
    pattern = lock_file(Path(glob.escape(folder.name)), '*').name
    for path in sorted(folder.parent.glob(pattern)):
        if path == besides:
            continue
        owner = _read(path)
        if owner is None:
            continue
        if owner.is_gone or (not owner.is_here and _is_silent(path)):
            path.unlink(missing_ok=True)
        else:
            yield owner


def _read(path: Path) -> Owner | None:
    """Whose lock it is; None if it is no more."""
    try:
        return read(Owner, read_file(path, FORMAT, VERSION, _REMEDY), str(path), _REMEDY)
    except FileNotFoundError:
        return None
    except UserError:  # damaged: its signs of life tell
        return Owner('an unknown machine', 'unknown', 0)


_seen: dict[str, tuple[int, float]] = {}
"""The last sign of life in a file, and when this process saw it first, by its own clock."""


def _is_silent(path: Path) -> bool:
    """Whether an owner gave no sign of life for long, by our clock: machines' clocks differ."""
    try:
        beat = path.stat().st_mtime_ns
    except OSError:
        return False
    now, (known, since) = time.monotonic(), _seen.get(str(path), (0, 0.0))
    if known != beat:
        _seen[str(path)] = beat, now
    return known == beat and now - since > SILENT


def _machine() -> str:
    """The boot of this machine and this space of process ids, in which a pid means something."""
    try:
        boot = Path('/proc/sys/kernel/random/boot_id').read_text().strip()
        return f'{boot} {os.readlink("/proc/self/ns/pid")}'
    except OSError:
        return socket.gethostname()


def _begun(pid: int) -> int | None:
    """When a process was started, in ticks since boot; None of one that is dead or unknown."""
    try:
        state, *others = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return None
    return None if state in 'ZX' else int(others[18])


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
