"""Where a data set's files are: in an extracted folder, or still in the archive."""

import hashlib
import tarfile
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from rethink_det.datasets.cifar.versions import Version
from rethink_det.errors import UserError


class Source(NamedTuple):
    """One version of a data set, found at ``path``: a folder, or else an archive."""

    version: Version
    path: Path

    def files(self, names: Iterable[str]) -> list[Path]:
        """The files on disk that hold these members.

        Raises:
            UserError: One is not there.
        """
        if not self.path.is_dir():
            return [self.path]
        files = [self.path / name for name in names]
        for file in files:
            if not file.is_file():
                raise UserError(
                    f'{file}: no such file; extract the whole of {self.version.archive}, or '
                    'put the archive itself in the place of the folder'
                )
        return files

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """The content of each member.

        Raises:
            UserError: One is not there or cannot be read.
        """
        if not self.path.is_dir():
            return _unpack(self.path, self.version.folder, names)
        try:
            files = self.files(names)
            return {file.name: file.read_bytes() for file in files}
        except OSError as error:
            raise UserError(f'{error.filename}: cannot be read ({error.strerror})') from error

    def complaints(self, contents: Mapping[str, bytes]) -> list[str]:
        """A sentence for each published sum that does not hold."""
        found = {name: _md5(content) for name, content in contents.items()}
        if self.path.name in self.version.md5:
            found[self.path.name] = _md5(self.path.read_bytes())
        place = self.path.parent if self.path.name in found else self.path
        return [
            f'{place / name}: MD5 {sum_}, the official file has {self.version.md5[name]}; it was '
            'packed again or is damaged, so its results may not compare with published ones'
            for name, sum_ in found.items()
            if self.version.md5.get(name, sum_) != sum_
        ]


def find_source(root: Path, title: str, versions: Sequence[Version]) -> Source:
    """The first version that is there, extracted folders before archives.

    Raises:
        UserError: There is none.
    """
    for version in versions:
        if (root / version.folder).is_dir():
            return Source(version, root / version.folder)
    for version in versions:
        if (root / version.archive).is_file():
            return Source(version, root / version.archive)
    wanted = ', '.join(name for v in versions for name in (v.archive, f'{v.folder}/'))
    raise UserError(
        f'{root}: no {title} here; expected one of {wanted}. Download {versions[0].archive} from '
        f'the CIFAR page and put it into {root}, as it is'
    )


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _unpack(archive: Path, folder: str, names: Collection[str]) -> dict[str, bytes]:
    """Members of a tar archive, read without writing a file."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, 'r:gz') as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if path.name in names and path.parent.name == folder:
                    file = tar.extractfile(member) if member.isfile() else None
                    if file is not None:
                        found[path.name] = file.read()
                if len(found) == len(names):
                    return found
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise UserError(f'{archive}: damaged or cut short ({error}); download it again') from error
    missing = ', '.join(f'{folder}/{name}' for name in names if name not in found)
    raise UserError(f'{archive}: holds no {missing}; download it again')
