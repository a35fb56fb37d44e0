"""Where the description of an architecture comes from: a name, a JSON file, a checkpoint."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from rethink_det.architecture import published
from rethink_det.architecture.checkpoint import load_checkpoint
from rethink_det.errors import UserError

FORMAT = 'rethink_det.architecture'
VERSION = 2
READS = (1, 2)  # version 1 had channels only
OPTIONAL = ('selections', 'removed_blocks', 'masks')
REQUIRED = {'backbone', 'head', 'input_shape'}
FIELDS = {'format', 'version', *REQUIRED, 'channels', 'name', 'source', *OPTIONAL}


def read(source: str | os.PathLike) -> tuple[Mapping, str]:
    """The description in ``source``, and what to call it in messages.

    Args:
        source: Name of a published architecture, a JSON file, or a checkpoint.

    Raises:
        UserError: There is no such source, or it describes no architecture.
    """
    text = os.fspath(source)
    if text in published.names():
        return published.read(text), text
    if not os.path.isfile(text):
        raise UserError(
            f'No architecture {text!r}: neither a file nor one of the published '
            f'{", ".join(published.names())}.'
        )
    if text.endswith('.json'):
        return _read_json(text), text
    meta = load_checkpoint(text).get('meta') or {}
    if 'architecture' not in meta:
        raise UserError(
            f"{text} does not describe its architecture (no meta['architecture']): it was not "
            'written by rethink_det. Give the architecture by name or JSON file.'
        )
    return meta['architecture'], text


def check_format(data: Mapping, where: str) -> None:
    """Refuse a description of another format.

    Raises:
        UserError: Wrong format or version, unknown or missing keys.
    """
    if data.get('format', FORMAT) != FORMAT:
        raise UserError(f'{where}: format is {data["format"]!r}, expected {FORMAT!r}.')
    if data.get('version', VERSION) not in READS:
        raise UserError(
            f'{where}: version {data["version"]!r} is unknown; this release reads '
            f'{" and ".join(map(str, READS))}.'
        )
    unknown, missing = set(data) - FIELDS, REQUIRED - set(data)
    if unknown or missing:
        raise UserError(
            f'{where}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}; valid are '
            f'{sorted(FIELDS)}.'
        )


def _read_json(path: str) -> Mapping:
    try:
        data = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise UserError(f'{path} is no architecture JSON: {error}') from None
    if not isinstance(data, dict):
        raise UserError(f'{path} is no architecture JSON: it holds a {type(data).__name__}.')
    return data
