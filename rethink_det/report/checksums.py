"""Whether the files of a finished run are still those that it left.

Others are built on them: a detector on a backbone, a verdict on a metric. A file that was changed,
swapped with another run's or hit by a bad disk makes those wrong, and nothing of it is seen.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rethink_det.files import plain

_CHUNK = 1 << 20
_LENGTH = 32
"""Hex digits of a digest that are kept."""
_SEAL = '# Written by rethink_det; SHA-256 of what follows: '


def of_file(path: Path) -> str:
    """SHA-256 of a file's bytes; 32 hex digits."""
    sha = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(_CHUNK):
            sha.update(chunk)
    return sha.hexdigest()[:_LENGTH]


def of_content(content: Mapping[str, Any]) -> str:
    """SHA-256 of plain values, whatever the order of their keys; 32 hex digits."""
    text = json.dumps(plain(content), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def sealed(text: str) -> str:
    """A text of Python under a comment by which :func:`is_sealed` knows it."""
    return f'{_SEAL}{hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]}\n{text}'


def is_sealed(path: Path) -> bool:
    """Whether a file is as this package has written it, from the first byte to the last."""
    content = path.read_bytes().decode(errors='replace')
    first, _, text = content.partition('\n')
    return first.startswith(_SEAL) and content == sealed(text)


def of_files(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The digests of those files that are in a folder, by name."""
    return {name: of_file(folder / name) for name in names if (folder / name).is_file()}


def changed(folder: Path, known: Mapping[str, str]) -> list[str]:
    """Names of the files that are there and not what they were.

    Args:
        folder: Where they are.
        known: Digests by name, as :func:`of_files` gave them.
    """
    now = of_files(folder, known)
    return [name for name, digest in now.items() if digest != known[name]]
