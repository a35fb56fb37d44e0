"""Why a run of a study is to be done, or why it is not: what its folders hold, beside its plan."""

import contextlib
import io
import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from rethink_det.architecture.provenance import versions
from rethink_det.errors import UserError
from rethink_det.layout import RUNS, folders_of
from rethink_det.report.environment import Environment
from rethink_det.report.run_graph import REMEDY, Asked, RunGraph, study_folder
from rethink_det.report.run_result import RunResult
from rethink_det.study.config import Study
from rethink_det.study.graph import lineage_of, runs_of
from rethink_det.study.nodes import Run
from rethink_det.study.recipe import Recipe
from rethink_det.study.run import differences_from, finished
from rethink_det.study.shared_runs import SharedRuns, named_for
from rethink_det.study.stages import Stage, stage_of
from rethink_det.study.together import computed

CODE, DATA, PARENT, SETTING = CAUSES = ('code', 'data', 'parent', 'setting')
"""What can make it necessary to do a run again."""
NEW = 'is to be done: it was never finished, nor begun as it is now'
_IS = (
    (CODE, re.compile(r'version: ')),
    (DATA, re.compile(r'data of |[^:]*\bdataset\b')),
    (PARENT, re.compile(r'sources\.|.*\b(checkpoint|architecture) [0-9a-f]{8}')),
)
"""How the lines begin that tell of each; all others are settings."""


@dataclass(frozen=True)
class Reason:
    """Why a run is to be done, or that it is done.

    Attributes:
        key: Of the run.
        words: What there is to say of it in a sentence.
        result: Of a run that is done, and would be taken.
        shared: Whether another study has done it.
        causes: What is not as in the finished run of that key, by :data:`CAUSES`.
        software: What of the software is not as it was; this makes no run necessary.
        parents: Why those are to be done that it needs, if they are.
    """

    key: str
    words: str
    result: RunResult | None = None
    shared: bool = False
    causes: Mapping[str, list[str]] = field(default_factory=dict)
    software: list[str] = field(default_factory=list)
    parents: tuple['Reason', ...] = ()

    @property
    def text(self) -> str:
        """All of it, for people."""
        told = [f'{cause}: {line}' for cause, lines in self.causes.items() for line in lines]
        if self.software:
            note = 'software: not as it was, which makes no run necessary'
            told.append(f'{note}: {", ".join(self.software)}')
        for parent in self.parents:
            told += parent.text.splitlines()
        return '\n'.join([f'{self.key}: {self.words}', *(f'  {line}' for line in told)])


def why(work_dir: str | os.PathLike, name: str) -> Reason:
    """Why a run of the study in a folder is to be done, or that it is done.

    The study is planned again, as it was asked for the last time, from its config as it is now.

    Args:
        work_dir: Folder of the study.
        name: Key of the run, or its folder.

    Raises:
        UserError: There is no such study or run, or it can no longer be planned.
    """
    root = study_folder(work_dir)
    folder = Path(name).resolve()
    if root in folder.parents:
        name = folder.relative_to(root).as_posix()
    graph = RunGraph.read(root)
    if graph.asked is None:
        raise UserError(f'{root}: nobody said how this study was asked for; {REMEDY}.')
    with _where_it_was(root, graph.asked):
        runs = {run.key: run for run in runs_of(planned_again(graph.asked))}
        key = _key(name, list(runs))
        return reasons(lineage_of(runs[key]), root)[key]


def reasons(runs: Iterable[Run], root: Path, shared: SharedRuns | None = None) -> dict[str, Reason]:
    """Why runs are to be done, or that they are done, by key.

    Args:
        runs: Parents before children.
        root: Folder of the study, which need not be there.
        shared: Where studies put what they have in common; None if nowhere.

    Raises:
        UserError: The config of one can no longer be read.
    """
    known: dict[str, Reason] = {}
    for run in runs:
        known[run.key] = known.get(run.key) or _reason(run, root, known, shared)
    return known


def planned_again(asked: Asked) -> Study:
    """A study as it was asked for.

    Raises:
        UserError: As of :meth:`Study.load`.
    """
    if asked.parts is not None:
        study = Study.from_parts(asked.parts, Path(asked.config))
    else:
        study = Study.load(asked.config, asked.options, asked.variants)
    return computed(study, asked.together)


@contextlib.contextmanager
def _where_it_was(root: Path, asked: Asked) -> Iterator[None]:
    """Be in the folder where a study was asked for, to which its paths are relative."""
    here = Path.cwd()
    if (root / asked.cwd).is_dir():
        os.chdir(root / asked.cwd)
    try:
        yield
    finally:
        os.chdir(here)


def _key(name: str, keys: list[str]) -> str:
    """The key that is meant by a key or a folder."""
    bare = re.sub('-[0-9a-f]{8}$', '', name.strip('/').removeprefix(f'{RUNS}/'))
    key = next((one for one in (name, bare) if one in keys), None)
    if key is None:
        near = get_close_matches(bare, keys, 1, 0.3)
        meant = f'; did you mean {near[0]}?' if near else '.'
        raise UserError(f'The study has no run {name!r}{meant}')
    return key


def _reason(run: Run, root: Path, known: Mapping[str, Reason], shared: SharedRuns | None) -> Reason:
    """Of a run whose parents' are known."""
    parents = [known[parent.key] for parent in run.parents.values()]
    open_ones = tuple({one.key: one for one in parents if one.result is None}.values())
    if open_ones:
        return Reason(run.key, 'is to be done, as what it needs is', parents=open_ones)
    folders = folders_of(root, run.key)
    if not folders and shared is None:
        return Reason(run.key, NEW)
    done = {one.key: one.result for one in parents if one.result is not None}
    stage = stage_of(run, done)
    with contextlib.redirect_stdout(io.StringIO()):
        recipe = Recipe.of(stage, stage.config())
    own = _of_folders(stage, recipe, folders, root)
    if own.result is not None or shared is None:
        return own
    try:
        found = named_for(shared.sound(recipe), run)
    except (FileNotFoundError, UserError):
        return own
    return Reason(
        run.key, f'is done by another study, and would be taken: {found.place}', found, True
    )


def _of_folders(stage: Stage, recipe: Recipe, folders: Sequence[Path], root: Path) -> Reason:
    """Of a run by what is in the folders of its key."""
    run = stage.run
    told: tuple[str, dict[str, list[str]], list[str]] | None = None
    for folder in reversed(folders):
        place = folder.relative_to(root).as_posix()
        try:
            lines = differences_from(folder, root, stage, recipe)
        except (FileNotFoundError, UserError):
            continue
        found = finished(folder, root)
        software = _other_software(found.result)
        if not lines:
            return _of_its_recipe(run.key, place, found.result, found.missing, software)
        if found.result and told is None:
            told = f'is to be done, as it is not what is in {place}', causes(lines), software
    if told is None:
        return Reason(run.key, NEW)
    return Reason(run.key, told[0], causes=told[1], software=told[2])


def _of_its_recipe(
    key: str, place: str, result: RunResult | None, missing: str, software: list[str]
) -> Reason:
    """Of a run that was begun at least, as it is to be done now."""
    if result is not None:
        return Reason(key, f'is done, and would be taken: {place}', result, software=software)
    if missing:
        return Reason(key, f'is to be done again: {missing}')
    return Reason(key, f'is to be done: it was broken off, and goes on in {place}')


def causes(lines: list[str]) -> dict[str, list[str]]:
    """What is not as in an earlier run, by :data:`CAUSES`; those without a line are left out.

    Args:
        lines: Those of :meth:`Recipe.differences`.
    """
    found: dict[str, list[str]] = {cause: [] for cause in CAUSES}
    for line in lines:
        cause = next((one for one, begin in _IS if begin.match(line)), SETTING)
        found[cause].append(line)
    return {cause: told for cause, told in found.items() if told}


def _other_software(result: RunResult | None) -> list[str]:
    """What of the software is not as when a run was done, ``'torch 2.14.0 -> 2.15.0'``."""
    then = result.environment if result and result.environment else None
    if then is None:
        return []
    now = Environment(python=platform.python_version(), versions=versions())
    old, new = ({'python': one.python, **one.versions} for one in (then, now))
    names = (name for name in new if name in old and old[name] != new[name])
    return [f'{name} {old[name]} -> {new[name]}' for name in names]
