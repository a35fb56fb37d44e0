"""Pictures by the names that files of labels give them, which were true on another machine.

A labelling tool writes the name that it knew: behind an address, behind a folder that was left
out of the export, with a backslash, or with the digits that it put before it on upload.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from os.path import basename, commonprefix
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

from rethink_det.detection.datasets.labelled import pictures_below
from rethink_det.detection.datasets.split_names import SPLITS, spelled

_UPLOADED = re.compile(r'^[0-9a-f]{8}-')
"""What Label Studio puts before the name of a file that is uploaded to it."""


class PictureNames:
    """The pictures below a folder, found by any of their names.

    Args:
        root: The folder.
        split: Whose pictures are meant: those in folders of other splits are left out, which may
            be called alike.
    """

    def __init__(self, root: Path, split: str = '') -> None:
        self.root = root
        others = tuple(n for one in SPLITS if split and one != split for n in spelled(one))
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in pictures_below(root):
            below = path.relative_to(root)
            if not others or not any(part.startswith(others) for part in below.parts[:-1]):
                self._by_name[path.name].append(below.as_posix())
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for found in self._by_name.values():
            for name in found:
                self._by_stem[Path(name).stem].append(name)

    def find(self, said: str) -> str | None:
        """The path below the folder of what a file calls a picture; None if none or several fit.

        Args:
            said: Its name, a path or an address.
        """
        path = _path_of(said)
        name = basename(path)
        found = self._by_name.get(name) or self._by_name.get(_UPLOADED.sub('', name)) or []
        return _nearest(path, found)

    def beside(self, file: Path, said: str | None = None) -> str | None:
        """Likewise the picture that a file of labels is for: of its own name, or of that it says.

        Args:
            file: Below the folder.
            said: The name of the picture in it.
        """
        own = file.relative_to(self.root).with_suffix('').as_posix()
        found = _nearest(own, self._by_stem.get(file.stem, []))
        return found or (self.find(said) if said else None)


def _path_of(said: str) -> str:
    """The path in an address, with slashes and without escapes."""
    parts = urlparse(said)
    if parts.scheme and len(parts.scheme) > 1 or said.startswith('/data/'):
        file = parse_qs(parts.query).get('d')  # Label Studio's files of its own machine
        said = file[0] if file else unquote(parts.path)
    return said.replace('\\', '/')


def _nearest(path: str, found: Sequence[str]) -> str | None:
    """Of some paths, the one with most of the same folders at both ends, if there is one."""

    def alike(other: str) -> int:
        both = [path.split('/')[:-1], other.split('/')[:-1]]
        return sum(len(commonprefix(ways)) for ways in (both, [way[::-1] for way in both]))

    ranked = sorted(found, key=alike)
    if len(ranked) > 1 and alike(ranked[-1]) == alike(ranked[-2]):
        return None
    return ranked[-1] if ranked else None
