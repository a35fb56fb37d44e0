"""A run's config as it is written into the run's folder, to be read wherever that goes."""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture, published
from rethink_det.files import save_text
from rethink_det.registered import is_type
from rethink_det.report.checksums import sealed

SHAPED = ('rethink_det.PrunedBackbone', 'rethink_det.PrunedSharedHead')
"""What has an ``architecture``."""
ITS_FOLDER = '{{ fileDirname }}'
"""The folder of a config file, wherever it is when MMEngine reads it."""
_PLACES = ('data_root', 'checkpoint', 'pretrained', 'load_from')
"""Keys of files and folders."""
_BELOW_ROOT = ('ann_file', 'proposal_file')
"""Those that are within ``data_root`` where there is one."""


def with_architecture_inside(config: Config) -> Config:
    """A copy in which no pruned part's architecture is in a file: it says all of it.

    Names of published architectures stay, they are everywhere.

    Args:
        config: Of any model.

    Raises:
        UserError: A file is missing or describes no architecture.
    """
    config = deepcopy(config)
    for part in _mappings(config.get('model') or {}):
        source = part.get('architecture')
        if is_type(part, SHAPED) and isinstance(source, str) and source not in published.names():
            part['architecture'] = PrunedArchitecture.load(source).to_config()
    return config


def write_config(config: Config, path: str | os.PathLike) -> None:
    """Write a config, whole or not at all, so that it can be read from any folder.

    Architectures are inside, data and weights are named by absolute paths where they exist, and
    the work dir is the folder that the file is in, wherever it is moved to. Its first line is a
    seal (:func:`~rethink_det.report.checksums.sealed`).

    Args:
        config: Of a run.
        path: The file, in the run's folder.

    Raises:
        UserError: As of :func:`with_architecture_inside`.
    """
    config = with_architecture_inside(config)
    for part in _mappings(config._cfg_dict):
        _name_places(part)
    config.work_dir = ITS_FOLDER
    save_text(sealed(config.pretty_text), path)


def _mappings(node: Any) -> Iterator[MutableMapping[str, Any]]:
    """All dicts in a config, the outer before the inner."""
    if isinstance(node, MutableMapping):
        yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for one in node:
            yield from _mappings(one)


def _name_places(part: MutableMapping[str, Any]) -> None:
    within = part.get('data_root')
    for key in (*_PLACES, *(() if within else _BELOW_ROOT)):
        if key in part:
            part[key] = _absolute(part[key])
    prefix = part.get('data_prefix')
    if not within and isinstance(prefix, Mapping):
        part['data_prefix'] = {key: _absolute(value) for key, value in prefix.items()}


def _absolute(place: Any) -> Any:
    """An existing file or folder by its absolute path; anything else as it is."""
    if not isinstance(place, str) or not place or not Path(place).exists():
        return place
    return os.path.abspath(place) + '/' * place.endswith('/')
