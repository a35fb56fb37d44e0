"""What in a study's folder nothing needs any more, and removing it."""

import os
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rethink_det.errors import UserError
from rethink_det.files import is_abandoned, unfinished
from rethink_det.layout import ASIDE, RESULTS
from rethink_det.report.own_files import CHECKPOINT, own_files
from rethink_det.report.results import StudyResults
from rethink_det.report.run_graph import RunGraph, study_folder
from rethink_det.report.run_result import RunResult
from rethink_det.report.study_status import is_alive
from rethink_det.report.verification import run_folders

SET_ASIDE = 'of a run that was changed, and done again'
OLDER = 'of a run of another recipe, which the study does not use'
EXTRA = 'a checkpoint beside the one that a finished run ended in'
TEMPORARY = 'left by a writer that was killed'
_TEMPORARY = re.compile(r'\..+\.[a-z0-9_]{8}\.part')
"""As :func:`rethink_det.files.replacing` names them."""


@dataclass(frozen=True)
class Leftovers:
    """What nothing needs in the folder of a study.

    Attributes:
        root: Folder of the study.
        files: That can go, each with the reason.
        kept: In folders that can go, what this package did not write: it stays.
        strangers: Runs that the study, as it was last started, does not name: they stay.
    """

    root: Path
    files: dict[Path, str] = field(default_factory=dict)
    kept: list[Path] = field(default_factory=list)
    strangers: list[Path] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """What is free once they are gone; of a file with other names nothing."""
        stats = (path.stat() for path in self.files)
        return sum(one.st_size for one in stats if one.st_nlink == 1)

    @property
    def text(self) -> str:
        """All of it, for people."""
        reasons = Counter(self.files.values())
        named = [f'{self._place(path)}: {reason}' for path, reason in self.files.items()]
        counts = [f'{number} {reason}' for reason, number in reasons.items()]
        kept = [f'{self._place(path)}: kept, not written by this package' for path in self.kept]
        told = f'{len(self.files)} files, {size(self.bytes)}'
        lines = [*named, *kept, f'{told}: {"; ".join(counts)}' if counts else 'nothing to remove']
        if self.strangers:
            lines.append(
                f'{len(self.strangers)} runs of other seeds, variants or arms, which the study as '
                'it was last started does not name, are kept'
            )
        return '\n'.join(lines)

    def _place(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def remove(self) -> None:
        """Remove the files, and the folders that are empty then."""
        for path in self.files:
            path.unlink(missing_ok=True)
        for folder in {parent for path in self.files for parent in path.parents}:
            if self.root in folder.parents:
                _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    for place, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # there is something in it
            os.rmdir(place)


def leftovers(work_dir: str | os.PathLike) -> Leftovers:
    """What nothing needs in the folder of a study.

    Raises:
        UserError: It is no folder of a study, what it tells of it is damaged, or somebody works
            in it.
    """
    root = study_folder(work_dir)
    graph = RunGraph.read(root)
    found = _Finder(root, {run.key: run.folder for run in graph.runs}, _reported(root))
    for folder in run_folders(root):
        found.look(folder)
    found.temporary()
    return found.leftovers


def _reported(root: Path) -> set[str]:
    """Folders of the runs that the report names."""
    rows = StudyResults.read(root).runs if (root / RESULTS).is_file() else []
    return {row.folder for row in rows if row.folder}


@dataclass
class _Finder:
    """Looks at one folder after the other.

    Attributes:
        root: Folder of the study.
        used: By key of a run, the folder that the study took; None as long as it has none.
        reported: Folders that the report names.
        leftovers: What was found so far.
    """

    root: Path
    used: dict[str, str | None]
    reported: set[str]
    leftovers: Leftovers = field(init=False)

    def __post_init__(self) -> None:
        self.leftovers = Leftovers(self.root)

    def look(self, folder: Path) -> None:
        """Find out what of a run's folder can go."""
        place = folder.relative_to(self.root)
        if folder.is_symlink():
            return
        result = _result(folder, self.root)
        if result is None and not folder.name.startswith(ASIDE) and is_alive(folder):
            raise UserError(f'{folder}: somebody works on this run: clean when the study is over.')
        if folder.name.startswith(ASIDE):
            self._all_of(folder, SET_ASIDE)
        elif place.as_posix() in self.reported or place.as_posix() in self.used.values():
            self._extra(folder, result)
        elif (key := _key(place)) not in self.used:
            self.leftovers.strangers.append(folder)
        elif self.used[key] is not None:
            self._all_of(folder, OLDER)

    def temporary(self) -> None:
        """Find the files of writers that are gone."""
        for path in unfinished(self.root):
            with suppress(FileNotFoundError):  # the writer has just finished it
                if _TEMPORARY.fullmatch(path.name) and is_abandoned(path):
                    self.leftovers.files[path] = TEMPORARY

    def _all_of(self, folder: Path, reason: str) -> None:
        own = set(own_files(folder))
        self.leftovers.files.update(dict.fromkeys(sorted(own), reason))
        others = (path for path in folder.rglob('*') if path.is_symlink() or path.is_file())
        self.leftovers.kept.extend(path for path in sorted(others) if path not in own)

    def _extra(self, folder: Path, result: RunResult | None) -> None:
        """Checkpoints that a finished run does not name, if those that it names are sound."""
        if result is None or not result.checksums or result.changed or result.gone:
            return
        named = {folder / name for name in [*result.files.values(), *result.checksums]}
        for path in own_files(folder):
            if CHECKPOINT.fullmatch(path.name) and path not in named:
                self.leftovers.files[path] = EXTRA


def _result(folder: Path, root: Path) -> RunResult | None:
    try:
        return RunResult.read(folder, root)
    except (FileNotFoundError, UserError):
        return None


def _key(place: Path) -> str:
    """The key of the run in a folder, which is relative to the study's."""
    return re.sub('-[0-9a-f]{8}$', '', Path(*place.parts[1:]).as_posix())


def size(count: float) -> str:
    """A number of bytes for people: ``'312 kB'``, ``'1.4 GB'``."""
    for unit, length in (('GB', 1e9), ('MB', 1e6), ('kB', 1e3)):
        if count >= length:
            return f'{count / length:.3g} {unit}'
    return f'{count:.0f} B'
