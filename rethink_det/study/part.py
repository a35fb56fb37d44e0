"""The dataclasses of a study's plan from their parts of the config file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rethink_det.convert import library_checkpoint
from rethink_det.errors import UserError
from rethink_det.packages import is_library_name
from rethink_det.report.schema import read_values
from rethink_det.study.controls import expanded
from rethink_det.study.plans import VARIANT_KEYS, ClassificationPlan
from rethink_det.training.config import find_config, load_config

KEY = 'study.classification'


def read_part(kind: type, data: object, path: Path, key: str) -> Any:
    """A ``kind`` of what stands in the config; paths are resolved.

    Args:
        kind: The dataclass, whose fields are the keys.
        data: That part of the config.
        path: The config file.
        key: Of that part, ``'study.detection[0]'``.

    Raises:
        UserError: Unknown or missing key, or a value of the wrong kind; a config that is not there.
    """
    said = read_values(kind, data, str(path), key)
    if said.get('config'):
        said['config'] = str(_config_file(said['config'], path))
        load_config(said['config'])  # what it imports may register an arm that is named here
    _resolve_files(said, path)
    if 'parents' in said:
        said['parents'] = [_beside(parent, path) for parent in said['parents']]
    for name, own in said.get('variants', {}).items():
        place = f'{key}.variants.{name}'
        own = read_values(kind, own, str(path), place, VARIANT_KEYS)
        _resolve_files(own, path)
        said['variants'] |= {name: own}
    return kind(**said)


def read_classification(said: object, path: Path) -> ClassificationPlan:
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
    plan = read_part(ClassificationPlan, said, path, KEY)
    if plan.widths_of:
        raise UserError(f'{path}: {KEY}.widths_of is for one of {KEY}.variants to say.')
    return expanded(plan)


def _config_file(name: str, study: Path) -> str | Path:
    """A config as ``rethink-det train`` finds it, but first of all a file beside the study."""
    beside = study.parent / name
    if '::' in name or not beside.is_file():
        return find_config(name) if '::' in name else Path(find_config(name)).resolve()
    return beside.resolve()


def _resolve_files(said: dict[str, Any], study: Path) -> None:
    """Let what may be files beside the study be found from here, in place."""
    for name in {'parent', 'pruned', 'architecture', 'data_root'} & said.keys():
        said[name] = _beside(said[name], study)


def _beside(name: Any, study: Path) -> Any:
    """A file or folder beside the study by its path from here; all others as they are.

    The published weights of a library, ``timm:resnet18``, are their file.
    """
    if is_library_name(name) and not (study.parent / name).exists():
        return library_checkpoint(name)
    if not isinstance(name, str) or not name or Path(name).is_absolute():
        return name
    beside = study.parent / name
    return os.path.relpath(beside) if beside.exists() else name
