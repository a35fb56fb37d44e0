"""What picture files say of themselves, by their first and last bytes: nothing is decoded."""

import hashlib
import struct
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from PIL import Image

from rethink_det.errors import UserError

Item = TypeVar('Item')

_ORIENTATION = 274  # EXIF's tag
_ENDS = {'JPEG': b'\xff\xd9', 'PNG': b'IEND'}
_LAST = 32  # bytes, in which a whole file has its end
_PIECE = 4096  # bytes, by which most files of one size differ


class Header(NamedTuple):
    """Size of a picture, and how it is turned to be shown."""

    width: int
    """Pixels, as they are stored."""
    height: int
    turned: int = 1
    """EXIF's orientation, 1 to 8: 1 is shown as it is stored, 5 to 8 change width and height."""

    @property
    def stored(self) -> tuple[int, int]:
        """Width and height of the picture as it is stored."""
        return self.width, self.height

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height of the picture as it is shown."""
        return self.stored if self.turned < 5 else (self.height, self.width)


def read_header(path: Path) -> Header:
    """The header of a picture; one that ends early is decoded, to be sure that it is damaged.

    A file that was read before and is the same is not read again.

    Raises:
        UserError: The file is empty, no picture, or cut short.
    """
    try:
        status = path.stat()
    except OSError:
        raise UserError(f'{path} does not exist.') from None
    return _header(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=100_000)
def _header(path: Path, size: int, changed: int) -> Header:
    try:
        with _of_any_size(), Image.open(path) as image:
            if _ends_early(path, image.format):
                image.load()
            return Header(image.width, image.height, _orientation(image))
    except (OSError, SyntaxError, ValueError) as error:
        reason = _without(str(error), path) if size else 'it is empty'
        raise UserError(
            f'{path} is no picture that can be read ({reason}): fetch it again, or remove it and '
            'what is said of it.'
        ) from None


def forget_headers() -> None:
    """Read every picture anew that is asked for from now on."""
    _header.cache_clear()


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most this many of the items, spread evenly over all."""
    if len(items) <= most:
        return list(items)
    return [items[place * len(items) // most] for place in range(most)]


def same_pictures(first: Sequence[Path], second: Sequence[Path]) -> list[tuple[Path, Path]]:
    """The files of the first that are in the second as well, byte by byte, each with its twin.

    Few files are read: those of one size whose middles are the same.
    """
    pairs: list[tuple[Path, Path]] = []
    for key in (_size, _middle, _digest):
        left, right = _grouped(first, key), _grouped(second, key)
        both = [value for value in left if value in right]
        first = [path for value in both for path in left[value]]
        second = [path for value in both for path in right[value]]
        pairs = [(path, right[value][0]) for value in both for path in left[value]]
    return pairs


@contextmanager
def _of_any_size() -> Iterator[None]:
    """Pillow takes pictures of very many pixels for an attack; they are not decoded here."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _ends_early(path: Path, kind: str | None) -> bool:
    end = _ENDS.get(kind or '')
    if end is None:
        return False
    with path.open('rb') as file:
        file.seek(max(0, path.stat().st_size - _LAST))
        return end not in file.read()


def _orientation(image: Image.Image) -> int:
    found = Image.Exif()
    try:
        found.load(image.info.get('exif') or b'')
        turned = found.get(_ORIENTATION, 1)
    except (SyntaxError, struct.error, ValueError, KeyError, TypeError, OSError):
        return 1  # a damaged tag turns nothing
    return turned if turned in range(1, 9) else 1


def _without(reason: str, path: Path) -> str:
    return reason.replace(f' {str(path)!r}', '')


def _grouped(paths: Sequence[Path], key: Callable[[Path], Hashable]) -> dict[Hashable, list[Path]]:
    groups = defaultdict(list)
    for path in dict.fromkeys(paths):
        groups[key(path)].append(path)
    return groups


def _size(path: Path) -> int:
    return path.stat().st_size


def _middle(path: Path) -> bytes:
    with path.open('rb') as file:
        file.seek(path.stat().st_size // 2)
        return file.read(_PIECE)


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
