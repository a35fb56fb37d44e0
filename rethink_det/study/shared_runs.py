"""Finished runs that several studies have in common: done once, and taken by the others.

They lie in a folder of their own, each under the digest of its recipe, of which the result follows
wherever it is done. A run's large files are linked and not copied where the file system can, so
that they lie on the disk once.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from secrets import token_hex

from rethink_det.errors import UserError, refused_by_system
from rethink_det.layout import CONSOLE, RESULT, TIMES, set_aside
from rethink_det.report.places import placed
from rethink_det.report.run_result import Plan, RunResult
from rethink_det.study.nodes import Run
from rethink_det.study.recipe import Recipe
from rethink_det.study.stages import Stage


@dataclass(frozen=True)
class SharedRuns:
    """The runs that studies share.

    Attributes:
        folder: Where they lie.
    """

    folder: Path

    @classmethod
    def of(cls, folder: str | os.PathLike, look_only: bool = False) -> 'SharedRuns':
        """Those in a folder, which is made if it is not there.

        Args:
            folder: Where they lie.
            look_only: Make and write nothing.

        Raises:
            UserError: It is a file, or cannot be made or written.
        """
        path = Path(folder).resolve()
        if look_only and (path.is_dir() or not path.exists()):
            return cls(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            raise UserError(f'--share {folder}: {error.strerror}; name another folder.') from None
        return cls(path)

    def place(self, recipe: Recipe) -> Path:
        """Where a run of this recipe lies, if it was done."""
        return self.folder / recipe.digest

    def sound(self, recipe: Recipe) -> RunResult:
        """A run of this recipe, as it was when it was done.

        Raises:
            FileNotFoundError: There is none.
            UserError: It was changed since.
        """
        place = self.place(recipe)
        found = RunResult.read(place, self.folder)
        same = Recipe.read(place).digest == recipe.digest == found.identity
        if found.changed or found.gone or not same:
            raise UserError(f'{place} is not what it was when it was done.')
        return found

    def take(self, stage: Stage, recipe: Recipe, folder: Path, root: Path) -> RunResult | None:
        """Take a run that another study has done; None if there is none that is sound.

        One that was changed since is put aside, so that a sound one can take its place.

        Args:
            stage: What is to be done.
            recipe: Its own.
            folder: Of the run.
            root: Folder of the study.
        """
        place = self.place(recipe)
        try:
            found = self.sound(recipe)
        except FileNotFoundError:
            return None
        except UserError:
            with suppress(FileNotFoundError):  # another study has done so
                place.rename(set_aside(place))
            return None
        _link_all(found, place, folder)
        result = _of_this_study(found, stage, folder, root)
        result.write()
        return result

    def give(self, result: RunResult) -> str:
        """Let other studies take a finished run; a run of before there were digests stays alone.

        Args:
            result: Of a run of this study.

        Returns:
            Why that was not possible; empty if it was.
        """
        if result.identity is None or not result.checksums:
            return ''
        place = self.folder / result.identity
        if (place / RESULT).is_file():
            return ''
        try:
            self._give(result, place)
        except OSError as error:  # no reason to lose the run
            return f'not given to other studies: {refused_by_system(error)}'
        return ''

    def _give(self, result: RunResult, place: Path) -> None:
        new = Path(tempfile.mkdtemp(prefix='.', dir=self.folder))
        try:
            _link_all(result, result.place, new)
            _link(result.place / RESULT, new / RESULT)
            if place.is_dir() and not (place / RESULT).is_file():
                place.rename(set_aside(place))  # somebody took the result away
            new.rename(place)
        except OSError:
            if not (place / RESULT).is_file():  # otherwise another study was quicker
                raise
        finally:
            shutil.rmtree(new, ignore_errors=True)


def _link_all(result: RunResult, source: Path, target: Path) -> None:
    """Bring the files of a run into another folder, all but its result."""
    target.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys([*result.files.values(), *(result.checksums or {})]):
        _link(source / name, target / name)
    for name in (CONSOLE, TIMES):  # small ones, to which somebody may write
        if (source / name).is_file():
            shutil.copy(source / name, target / name)


def _link(source: Path, target: Path) -> None:
    """One file under two names; a copy where the file system has no such links."""
    new = _unfinished(target)
    try:
        try:
            os.link(source, new)
        except OSError:
            shutil.copy2(source, new)
        os.replace(new, target)
    finally:
        new.unlink(missing_ok=True)  # of two names of one file, replacing does nothing


def _unfinished(path: Path) -> Path:
    """A name for a file that is not complete yet, which is swept if its writer is killed."""
    return path.with_name(f'.{path.name}.{token_hex(4)}.part')


def _of_this_study(result: RunResult, stage: Stage, folder: Path, root: Path) -> RunResult:
    """A run of another study, with what this one says of it."""
    run = stage.run
    plan = Plan(**placed(asdict(Plan(run.config, run.options, stage.settings)), root, Path.cwd()))
    place = folder.relative_to(root).as_posix()
    return replace(named_for(result, run), plan=plan, root=root, folder=place)


def named_for(result: RunResult, run: Run) -> RunResult:
    """A run of another study by the names that it has in this one; it lies where it is."""
    return replace(
        result,
        arm=run.arm,
        seed=run.seed,
        model=run.model,
        key=run.key,
        reference=run.reference,
    )


def unlink_shared(folder: Path) -> None:
    """Give a run's folder files of its own, before something is written there.

    A file that lies in other studies as well would change there, too.
    """
    for path in folder.rglob('*'):
        if path.is_file() and not path.is_symlink() and path.stat().st_nlink > 1:
            new = _unfinished(path)
            shutil.copy2(path, new)
            os.replace(new, path)
