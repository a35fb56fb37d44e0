"""One run of a study: done once, in a folder of its own, and found there again.

A run lives in a folder named by its key and its identity. It holds ``recipe.json``, ``config.py``,
logs, checkpoints and, written last and atomically, ``result.json``. Whoever finds that file finds
a finished run; a run without it continues from its last checkpoint.
"""

import contextlib
import io
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from math import isfinite
from pathlib import Path
from typing import Any, TextIO

from mmengine.config import Config
from mmengine.logging import MMLogger

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.errors import UserError
from rethink_det.files import save_text
from rethink_det.layout import CARD, CONSOLE, LEFT, RECIPE, RESULT, run_folder, set_aside
from rethink_det.report import checksums
from rethink_det.report.model_card import model_card
from rethink_det.report.places import placed
from rethink_det.report.run_lock import Lock, Taken, lock
from rethink_det.report.run_result import Plan, RunResult
from rethink_det.report.spent import Spent
from rethink_det.study import ledger
from rethink_det.study.environment import environment
from rethink_det.study.nodes import Run
from rethink_det.study.older_runs import older_differences
from rethink_det.study.recipe import Recipe
from rethink_det.study.shared_runs import SharedRuns, unlink_shared
from rethink_det.study.stages import Stage, stage_of
from rethink_det.study.stopwatch import Stopwatch
from rethink_det.training.together import attended_here

NAMED = 3
"""How many differences from an earlier run are named; the others are counted."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        result: Its result.
        redone: What differs from a finished run of the same key, which was not taken for it;
            empty if there is none, and where the run was finished before.
        shared: What there is to say of sharing it with other studies.
    """

    result: RunResult
    redone: str = ''
    shared: str = ''


def execute(
    run: Run,
    parents: Mapping[str, RunResult],
    work_dir: str | os.PathLike,
    command: Sequence[str] = (),
    shared: SharedRuns | None = None,
) -> Outcome | Taken:
    """Do a run, unless it is done, or somebody else does it now.

    Args:
        run: Of the study's graph.
        parents: Results of the runs it needs, by key.
        work_dir: Folder of the study.
        command: The program and its arguments by which the study was started.
        shared: Where studies put what they have in common; None if nowhere.
    """
    stage, told = stage_of(run, parents), io.StringIO()
    with contextlib.redirect_stdout(told):
        config = stage.config()
    recipe = Recipe.of(stage, config)
    root = Path(work_dir).resolve()
    folder, redone = find_folder(stage, recipe, root)
    found = finished(folder, root)
    if found.result:
        return _found(found.result, stage, shared)
    with lock(folder) as held:
        if isinstance(held, Taken):
            return held
        found = finished(folder, root)  # by whoever had it until now
        if found.result:
            return _found(found.result, stage, shared)
        if found.changed:
            folder.rename(set_aside(folder))
        redone = redone or found.missing
        work = _Work(stage, config, recipe, root, folder, told.getvalue(), command)
        return work.do(held, redone) if shared is None else work.share(held, redone, shared)


def _found(result: RunResult, stage: Stage, shared: SharedRuns | None) -> Outcome:
    """A run that is done, which other studies may have, too."""
    told = '' if shared is None else shared.give(result)
    return Outcome(_accounted(result, stage), shared=told)


@dataclass(frozen=True)
class _Work:
    """A run that is to be done, what was said of it so far, and by which command."""

    stage: Stage
    config: Config
    recipe: Recipe
    root: Path
    folder: Path
    told: str
    command: Sequence[str]

    def share(self, held: Lock, redone: str, shared: SharedRuns) -> Outcome | Taken:
        """Take it from another study that has done it, or do it for all of them."""
        with lock(shared.place(self.recipe)) as common:
            if isinstance(common, Taken):
                return common
            taken = shared.take(self.stage, self.recipe, self.folder, self.root)
            if taken is not None:
                return Outcome(_accounted(taken, self.stage), shared='done by another study')
            outcome = self.do(held, redone)
            return replace(outcome, shared=shared.give(outcome.result))

    def do(self, held: Lock, redone: str) -> Outcome:
        """Do it, and write what came out, last of all."""
        unlink_shared(self.folder)
        self.recipe.write(self.folder)
        watch = Stopwatch(self.folder)
        self.config.work_dir = str(self.folder)
        date = datetime.now(timezone.utc)
        with _console(self.folder / CONSOLE):
            print(self.told, end='')
            if redone:
                print(f'Done again, as it is not what is there already: {redone}')
            result = self.stage.do(self.config, self.folder)
            _write_card(result, self.folder)
        times = watch.stop()
        result = ledger.timed(result, times.device_s, times.complete)
        held.check()
        result = self._complete(replace(result, wall_s=times.seconds), date)
        result.write()
        return Outcome(result, redone)

    def _complete(self, result: RunResult, date: datetime) -> RunResult:
        """With where it is, what is in its files, and by what it was done."""
        names = [*result.files.values(), *LEFT]
        return replace(
            result,
            checksums=checksums.of_files(self.folder, names),
            identity=self.recipe.digest,
            error=_not_finite(result),
            root=self.root,
            folder=self.folder.relative_to(self.root).as_posix(),
            plan=_placed(result.plan, self.root),
            pruner=placed(_pruner(self.stage), self.root, Path.cwd()),
            environment=environment(self.command, self.root, date),
        )


def _write_card(result: RunResult, folder: Path) -> None:
    """What a run's checkpoint is, for whoever finds it."""
    if result.checkpoint is not None:
        checkpoint = Checkpoint.read(folder / result.checkpoint)
        metrics = {n: v for n, v in result.metrics.items() if v is not None}
        save_text(model_card(checkpoint, metrics), folder / CARD)


def _placed(plan: Plan | None, root: Path) -> Plan | None:
    """The same without folders of this machine."""
    return None if plan is None else Plan(**placed(asdict(plan), root, Path.cwd()))


def _pruner(stage: Stage) -> dict[str, Any] | None:
    """What made the network small, here or in a run that this one builds on."""
    if 'architecture' in stage.settings:
        return dict(stage.settings)
    if 'pruner' in stage.settings:
        return dict(stage.settings['pruner'])
    inherited = (parent.pruner for parent in stage.parents.values())
    return next((dict(pruner) for pruner in inherited if pruner is not None), None)


def _not_finite(result: RunResult) -> str | None:
    """Which of a finished run's metrics came out as no number, and so count nowhere."""
    names = [name for name, value in result.metrics.items() if value is None or not isfinite(value)]
    return f'not finite: {", ".join(names)}' if names else None


def _accounted(done: RunResult, stage: Stage) -> RunResult:
    """A finished run, with what it took in all as its parents know it now.

    The epochs of a given parent may have become known since: they change no weights, so what was
    trained from it is not trained again.
    """
    if done.train_macs is None or done.counts_backbone_alone:
        return done
    own = done.spent or Spent(done.train_macs, not_counted=(ledger.OLDER,))
    return replace(done, **stage.accounts(own))


@dataclass(frozen=True)
class Found:
    """What is in a run's folder.

    Attributes:
        result: Of a finished run whose files are all there, and what it left.
        missing: Why there is none although the run was finished, in words.
        changed: Whether something was changed since, so that nothing there is to be trusted.
    """

    result: RunResult | None = None
    missing: str = ''
    changed: bool = False


def finished(folder: Path, root: Path) -> Found:
    """What is in a run's folder: a finished run, one that was broken off, or a changed one."""
    try:
        result = RunResult.read(folder, root)
    except FileNotFoundError:
        return Found()
    except UserError as error:
        return Found(missing=str(error), changed=True)
    if not result.is_in_place:
        return Found(missing='it holds the result of another run', changed=True)
    if changed := result.changed:
        return Found(missing=f'{", ".join(changed)} changed since it was finished', changed=True)
    if gone := result.gone:
        return Found(missing=f'{", ".join(gone)} gone')
    return Found(result)


def find_folder(stage: Stage, recipe: Recipe, root: Path) -> tuple[Path, str]:
    """Where a run has its place: where one of the same recipe is, or in a new folder.

    Args:
        stage: What is to be done.
        recipe: Its own.
        root: Folder of the study.

    Returns:
        The folder, and what differs from the last finished run of the same key; that is empty
        where the recipe is the same, or no run is finished.
    """
    new = root / run_folder(stage.run.key, recipe.digest)
    earlier = new.parent.glob(run_folder(stage.run.key, '*').name)
    redone = ''
    for folder in sorted(earlier, key=lambda one: one.stat().st_mtime, reverse=True):
        try:
            differences = differences_from(folder, root, stage, recipe)
        except (FileNotFoundError, UserError):
            continue
        if not differences:
            return folder, ''
        if (folder / RESULT).is_file():
            redone = redone or _in_one_line(differences)
    return new, redone


def differences_from(folder: Path, root: Path, stage: Stage, recipe: Recipe) -> list[str]:
    """What of a run is not as in a folder of its key; errors as of :func:`older_differences`."""
    if (folder / RECIPE).is_file():
        return recipe.differences(Recipe.read(folder))
    return older_differences(folder, root, stage, recipe)


def _in_one_line(differences: list[str]) -> str:
    more = len(differences) - NAMED
    return ', '.join(differences[:NAMED]) + (f' and {more} more' if more > 0 else '')


@contextlib.contextmanager
def _console(path: Path) -> Iterator[None]:
    """Everything a run prints goes to its folder; the study shows progress instead.

    In a process of its own that is also what libraries print past Python.
    """
    with (
        path.open('a') as file,
        _descriptors_to(file) if _has_its_own_process() else contextlib.nullcontext(),
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        try:
            yield
        finally:
            _close_loggers(path.parent, file)


def _has_its_own_process() -> bool:
    """Whether nobody else prints in this process: no study, and no other run of a group."""
    return multiprocessing.parent_process() is not None and attended_here() is None


@contextlib.contextmanager
def _descriptors_to(file: TextIO) -> Iterator[None]:
    """Let the process's own output and errors go to a file."""
    kept = [os.dup(number) for number in (1, 2)]
    try:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
        yield
    finally:
        for number, saved in zip((1, 2), kept, strict=True):
            os.dup2(saved, number)
            os.close(saved)


def _close_loggers(folder: Path, console: TextIO) -> None:
    """Close the files of a finished run; its loggers live as long as the process.

    Others of a group may still log.
    """
    for logger in MMLogger._instance_dict.values():
        for handler in list(logger.handlers):
            file = Path(getattr(handler, 'baseFilename', ''))
            if folder in file.parents or getattr(handler, 'stream', None) is console:
                logger.removeHandler(handler)
                handler.close()
