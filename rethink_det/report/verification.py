"""Whether a study's folder still holds what its runs left: seals, digests, what lies about.

Nothing is repaired here: the study does again what is not as it was, the next time it is started.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rethink_det.errors import UserError
from rethink_det.files import unfinished
from rethink_det.layout import ASIDE, CONFIG, RECIPE, RESULT, RESULTS, RUNS
from rethink_det.report.own_files import own_files
from rethink_det.report.results import StudyResults
from rethink_det.report.run_graph import study_folder
from rethink_det.report.run_result import COMPLETED, RunResult


@dataclass(frozen=True)
class Verification:
    """What was found in a study's folder; places are relative to it.

    Attributes:
        sound: Finished runs, all of whose files are what they left.
        unknown: Finished runs of releases that kept no digests: nothing can be said of them.
        unfinished: Runs that were broken off, or go on now.
        aside: Runs that were changed, and that a study put aside and did again.
        temporary: Files that a writer did not finish; the study removes them when it is started.
        foreign: What neither a run nor MMEngine writes where it lies.
        wrong: What is not as it was, a line each.
    """

    sound: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    temporary: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of it, for people."""
        told = {
            'wrong': self.wrong,
            'finished before runs kept digests, so not checked': self.unknown,
            'not finished': self.unfinished,
            'put aside as changed, used by nothing': self.aside,
            'left by a writer that was killed, used by nothing': self.temporary,
            'not of this study, used by nothing': self.foreign,
        }
        lines = [f'{what}: {line}' for what, found in told.items() for line in found]
        runs = f'{len(self.sound)} finished run{"" if len(self.sound) == 1 else "s"} as left'
        return '\n'.join([*lines, f'{runs}; {len(self.wrong)} wrong'])


def verify(work_dir: str | os.PathLike) -> Verification:
    """Compare everything in a study's folder with what its runs said when they were done.

    Raises:
        UserError: It is no folder of a study.
    """
    root = study_folder(work_dir)
    found = Verification()
    for folder in run_folders(root):
        place = folder.relative_to(root).as_posix()
        if folder.name.startswith(ASIDE):
            found.aside.append(place)
        else:
            _run(folder, root, found)
    found.temporary.extend(path.relative_to(root).as_posix() for path in unfinished(root))
    found.wrong.extend(_rows(root))
    return found


def run_folders(root: Path) -> Iterator[Path]:
    """The folders of a study's runs, finished or not, those put aside as well; in order."""
    for place, folders, files in os.walk(root / RUNS):
        folders.sort()
        if {RESULT, RECIPE, CONFIG}.intersection(files):
            folders.clear()  # what is below belongs to the run
            yield Path(place)


def _run(folder: Path, root: Path, found: Verification) -> None:
    """Note what a run's folder is, and what lies in it."""
    place, result = folder.relative_to(root).as_posix(), None
    try:
        result = RunResult.read(folder, root)
    except FileNotFoundError:
        found.unfinished.append(place)
    except UserError as error:
        found.wrong.append(str(error))
    if result is not None:
        lines = [f'{place}/{name} is not what the run left' for name in result.changed]
        lines += [f'{place}/{name} is gone' for name in result.gone]
        lines += [] if result.is_in_place else [f'{place} holds the result of another run']
        found.wrong.extend(lines)
        if not lines:
            (found.unknown if result.checksums is None else found.sound).append(place)
    known = (result.checksums if result else None) or {}
    found.foreign.extend(path.relative_to(root).as_posix() for path in _strangers(folder, known))


def _strangers(folder: Path, known: Iterable[str]) -> list[Path]:
    """The files in a run's folder of nobody who writes there; in order."""
    own = {*own_files(folder), *unfinished(folder), *(folder / name for name in known)}
    return [path for path in sorted(folder.rglob('*')) if path.is_file() and path not in own]


def _rows(root: Path) -> Iterator[str]:
    """Where ``results.json``, which the report is written from, says something else."""
    if not (root / RESULTS).is_file():
        return
    try:
        results = StudyResults.read(root)
    except UserError as error:
        yield str(error)
        return
    yield from contradictions(results, root)
    for row in results.runs:
        if row.status == COMPLETED and row.folder and not (root / row.folder / RESULT).is_file():
            yield f'{RESULTS}: {row.key or row.folder}: its {RESULT} is gone'


def contradictions(results: StudyResults, root: Path) -> Iterator[str]:
    """Rows that say something else than the runs that they are of, a line each.

    Args:
        results: The content of a study's ``results.json``.
        root: Folder of the study; a run that is not there says nothing.
    """
    for row in results.runs:
        if row.status != COMPLETED or row.folder is None:
            continue
        try:
            run = RunResult.read(root / row.folder, root)
        except (FileNotFoundError, ValueError):
            continue
        if (run.metrics, run.digest) != (row.metrics, row.digest):
            name = row.key or row.folder
            yield f'{root / RESULTS}: {name} says something else than the {RESULT} of the run'
