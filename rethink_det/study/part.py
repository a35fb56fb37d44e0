"""The dataclasses of a study's plan from their parts of the config file."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rethink_det.errors import UserError
from rethink_det.report.run_result import Reference
from rethink_det.report.schema import read
from rethink_det.study.controls import expanded
from rethink_det.study.plans import ClassificationPlan
from rethink_det.training.config import find_config, known_fields, load_config


def read_part(kind: type, data: Mapping | None, path: Path) -> Any:
    """A ``kind`` of what stands in the config; paths are resolved.

    Args:
        kind: The dataclass, whose fields are the keys.
        data: That part of the config.
        path: The config file.

    Raises:
        UserError: Unknown or missing key, or a value of the wrong kind; a config that is not there.
    """
    where = f'{path}: {kind.__name__}'
    if not isinstance(data, Mapping):
        raise UserError(f'{where} must be a dict, got {data!r}.')
    data = known_fields(kind, data, where)
    if data.get('config'):
        data['config'] = str(_config_file(data['config'], path))
        load_config(data['config'])  # what it imports may register an arm that is named here
    for key in {'parent', 'data_root'} & data.keys():
        data[key] = _beside(data[key], path)
    if isinstance(data.get('parents'), (list, tuple)):
        data['parents'] = [_beside(parent, path) for parent in data['parents']]
    if 'seeds' in data and data['seeds'] is not None:
        if not isinstance(data['seeds'], Sequence):
            raise UserError(f'{where}: study.seeds must be a list, got {data["seeds"]!r}.')
        data['seeds'] = tuple(data['seeds'])
    data = _with_references(data, where)
    try:
        return kind(**data)
    except TypeError as error:
        raise UserError(f'{where}: {error}') from None


def read_classification(said: Any, path: Path) -> ClassificationPlan:
    """The classification part of a study, with every variant that it stands for.

    Without a config no classifier is trained, unless it says so.

    Args:
        said: That part of the config.
        path: The config file.

    Raises:
        UserError: As of :func:`read_part` and :func:`~rethink_det.study.controls.expanded`.
    """
    if isinstance(said, Mapping) and not said.get('config'):
        said = {'arms': [], **said}
    return expanded(read_part(ClassificationPlan, said, path))


def _with_references(data: Any, where: str) -> Any:
    """``data`` with its published numbers read, and those of its variants."""
    if not isinstance(data, Mapping):
        return data
    data = dict(data)
    for key in {'reference', 'variants'} & data.keys():
        if not isinstance(data[key], Mapping):
            raise UserError(f'{where}: {key} must be a dict, got {data[key]!r}.')
    for name, said in data.get('variants', {}).items():
        variant = _with_references(said, f'{where}: variants.{name}')
        data['variants'] = {**data['variants'], name: variant}
    for arm, one in data.get('reference', {}).items():
        number = read(Reference, one, f'{where}: reference.{arm}')
        data['reference'] = {**data['reference'], arm: number}
    return data


def _config_file(name: str, study: Path) -> str | Path:
    """A config as ``rethink-det train`` finds it, but first of all a file beside the study."""
    beside = study.parent / name
    if '::' in name or not beside.is_file():
        return find_config(name) if '::' in name else Path(find_config(name)).resolve()
    return beside.resolve()


def _beside(name: Any, study: Path) -> Any:
    """A file or folder beside the study by its path from here; all others as they are."""
    if not isinstance(name, str) or not name or Path(name).is_absolute():
        return name
    beside = study.parent / name
    return os.path.relpath(beside) if beside.exists() else name
