"""Runs of before there were recipes: what their folders tell of how they were made.

A training left its resolved ``config.py``. What pruned left no config, only its identity, which
was the digest of config and settings, and in its checkpoint the digest of its parent.
"""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.errors import UserError
from rethink_det.files import plain
from rethink_det.layout import CONFIG, RUNS
from rethink_det.report.run_result import RunResult
from rethink_det.study.recipe import Recipe, renamed, without_place
from rethink_det.study.stages import (
    AdoptClassifier,
    PruneClassifier,
    PruneDetector,
    Stage,
    TakeArchitecture,
)

FIRST = 1
"""The version of what all stages did then."""
UNKNOWN = 'its config, which it did not keep'
"""What differs in a run whose identity is another although nothing else is."""


def older_differences(folder: Path, root: Path, stage: Stage, recipe: Recipe) -> list[str]:
    """What is not as in a run of before; empty if that has the result of ``recipe``.

    Args:
        folder: Of that run.
        root: Of the study.
        stage: What is to be done now.
        recipe: Its own.

    Raises:
        FileNotFoundError: The folder tells nothing.
        UserError: What it tells is damaged.
    """
    then = replace(recipe, version=FIRST)
    if (folder / CONFIG).is_file():
        told = recipe.differences(replace(then, config=_config(folder, root)))
        if told or not isinstance(stage, AdoptClassifier):
            return told  # a training's config names all that it builds on
    earlier = RunResult.read(folder, root)
    if earlier.identity == _identity(stage, recipe):
        theirs = replace(then, sources=_sources(earlier, stage))
        return recipe.differences(theirs)
    settings = earlier.plan.settings if earlier.plan else {}
    known = {key: one for key, one in settings.items() if key not in recipe.sources}
    return recipe.differences(replace(then, settings=known)) or [UNKNOWN]


def _identity(stage: Stage, recipe: Recipe) -> str:
    """The identity that a run had: of config, settings and, of a given parent, the weights."""
    run = stage.run
    settings = dict(stage.settings)
    if isinstance(stage, AdoptClassifier):
        settings = dict(recipe.sources)
    known = {'stage': run.stage, 'arm': run.arm, 'seed': run.seed, **settings}
    text = json.dumps([recipe.config, plain(known)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _sources(earlier: RunResult, stage: Stage) -> dict[str, str | None]:
    """What a run built on that its identity did not hold, and else what it did."""
    if isinstance(stage, TakeArchitecture):
        return {name: earlier.digest for name in stage.sources}
    if isinstance(stage, PruneClassifier | PruneDetector):
        parent = Checkpoint.read(earlier.checkpoint_path).provenance.parent
        return {**stage.sources, 'trained': parent.digest if parent else None}
    return stage.sources


def _config(folder: Path, root: Path) -> dict[str, Any]:
    """The resolved config of an older run, with digests in place of other runs' files."""
    config = parsed_config(folder / CONFIG)
    here = folder.relative_to(root).as_posix()
    before = str(config.get('work_dir')).removesuffix(here)  # where the study was
    files = {text for text in _texts(config) if text.startswith(f'{before}{RUNS}/')}
    names = {file: _named(root / file.removeprefix(before), root) for file in files}
    return renamed(without_place(config), {file: name for file, name in names.items() if name})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list)):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def _named(file: Path, root: Path) -> str | None:
    """What a file of a run stands for, its digest with it; None if nobody knows."""
    try:
        result = RunResult.read(file.parent, root)
    except (FileNotFoundError, UserError):
        return None
    return next((f'{w} {result.digest}' for w, n in result.files.items() if n == file.name), None)


def parsed_config(path: Path) -> dict[str, Any]:
    """What MMEngine's ``Config.dump`` wrote, as plain values; nothing in it is run.

    Raises:
        UserError: It is something else.
    """
    try:
        lines = ast.parse(path.read_text(encoding='utf-8')).body
        return plain(dict(_assigned(line) for line in lines))
    except (SyntaxError, ValueError) as error:
        raise UserError(f'{path} is no dumped config: {error}') from None


def _assigned(line: ast.stmt) -> tuple[str, Any]:
    match line:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, _literal(value)
    raise ValueError(f'line {line.lineno} assigns nothing')


def _literal(node: ast.expr | None) -> Any:
    match node:
        case ast.Call(func=ast.Name(id='dict'), args=[], keywords=keywords):
            return {word.arg: _literal(word.value) for word in keywords}
        case ast.Call(func=ast.Name(id='dict'), args=[ast.Dict() as inner], keywords=[]):
            return _literal(inner)  # of keys that are no names: layers
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {_literal(key): _literal(value) for key, value in pairs}
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_literal(item) for item in items]
        case ast.expr():
            return ast.literal_eval(node)
    raise ValueError('a dict in another')
