"""Writing files so that a reader, or a kill, sees the old content or the whole new one."""

import errno
import fcntl
import glob
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

_PART = '.part'
"""How the name of a file ends that is not complete yet."""


CACHE = 'XDG_CACHE_HOME'
"""Variable that names the folder in which programs keep what they can make again."""


def user_cache() -> Path:
    """The folder in it that is this package's; it need not be there."""
    return Path(os.environ.get(CACHE) or Path.home() / '.cache') / 'rethink_det'


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A binary file that takes ``path``'s place once it is completely written.

    A link is followed: what it leads to is replaced. Folders are made as needed. If the block
    raises, ``path`` stays as it was; what a killed writer of the same file left is removed.

    Raises:
        OSError: It cannot be written: a folder or a device has that name, the disk is full, ...
    """
    target = _target(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
    prefix = f'.{os.fsencode(target.name)[:100].decode(errors="ignore")}.'  # however long it is
    _sweep(target.parent, prefix)
    handle, temporary = _part(target.parent, prefix)
    try:
        with os.fdopen(handle, 'wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.chmod(temporary, mode)
            os.replace(temporary, target)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, RuntimeError) and isinstance(error.__context__, OSError):
            raise error.__context__ from None  # of a full disk torch says 'unexpected pos'
        raise


def _target(path: str | os.PathLike) -> Path:
    """The file that is written in the end.

    Raises:
        OSError: It is none.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, 'It is a device or a pipe, no file', os.fspath(path))
    return target


def _part(folder: Path, prefix: str) -> tuple[int, str]:
    """A new file that this process has locked, which tells that its writer lives."""
    while True:
        handle, name = tempfile.mkstemp(_PART, prefix, folder)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.path.exists(name):
            return handle, name
        os.close(handle)  # somebody swept here before it was locked


def _sweep(folder: Path, prefix: str) -> None:
    """Remove the unfinished files of one file's writers that were killed."""
    for left in folder.glob(f'{glob.escape(prefix)}*{_PART}'):
        _remove(left)


def sweep(folder: Path) -> None:
    """Remove the unfinished files below a folder whose writers were killed."""
    for left in unfinished(folder):
        _remove(left)


def _remove(left: Path) -> None:
    with suppress(OSError), left.open('rb') as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a living writer has locked its own
        left.unlink()


def is_abandoned(path: Path) -> bool:
    """Whether nobody writes an unfinished file any more.

    Raises:
        OSError: It is gone.
    """
    with path.open('rb') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def unfinished(folder: Path) -> list[Path]:
    """The files below a folder whose writers were killed, or write them now; in order."""
    return sorted(path for path in folder.rglob(f'.*{_PART}') if path.is_file())


def save_text(text: str, path: str | os.PathLike) -> None:
    """Write a text file (UTF-8) atomically."""
    with replacing(path) as file:
        file.write(text.encode(errors='backslashreplace'))  # names of files may be no UTF-8


def save_json(value: Any, path: str | os.PathLike) -> None:
    """Write ``plain(value)`` as JSON, atomically."""
    save_text(json.dumps(plain(value), indent=1, allow_nan=False, ensure_ascii=False) + '\n', path)


def plain(value: Any) -> Any:
    """``value`` as dict, list, str, int, float, bool or None: what JSON and checkpoints hold.

    NaN and infinities become None; arrays and tensors become lists.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):  # float64 of NumPy is one, too
        return float(value) if isfinite(value) else None
    if hasattr(value, 'tolist'):
        return plain(value.tolist())
    return str(value)
