"""Writing files so that a reader, or a kill, sees the old content or the whole new one."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A binary file that takes ``path``'s place once it is completely written.

    Folders are made as needed; if the block raises, ``path`` stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    try:
        with os.fdopen(handle, 'wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def save_text(text: str, path: str | os.PathLike) -> None:
    """Write a text file (UTF-8) atomically."""
    with replacing(path) as file:
        file.write(text.encode())


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
