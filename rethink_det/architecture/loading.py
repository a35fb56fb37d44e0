"""Where the description of an architecture comes from: a name, a JSON file, a checkpoint."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rethink_det.architecture import published
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.errors import UserError, shown
from rethink_det.registered import check_from_file

FORMAT = 'rethink_det.architecture'
VERSION = 2
READABLE = (1, 2)  # version 1 had channels only
HEADER = {'format': FORMAT, 'version': VERSION}
REQUIRED = ('backbone', 'head', 'input_shape')
OPTIONAL = ('selections', 'removed_blocks', 'masks', 'coupled')
FIELDS = ('name', 'source', *REQUIRED, 'channels', *OPTIONAL)
"""What a description says, in its order; what is optional is left out where it is empty."""


Source = Checkpoint | Mapping | str | os.PathLike[str]
"""Where a description may be."""


def read(source: Source) -> tuple[Mapping, str]:
    """The description in ``source``, and what to call it in messages.

    Args:
        source: Itself, the name of a published architecture, a JSON file, or a checkpoint.

    Raises:
        UserError: There is no such source, or it describes no architecture.
    """
    if isinstance(source, Checkpoint):
        return _described(source)
    if isinstance(source, Mapping):
        return source, 'architecture'
    if not isinstance(source, (str, os.PathLike)):
        raise UserError(
            'An architecture is given by name, file, dict or checkpoint, got a '
            f'{type(source).__name__}.'
        )
    text = os.fspath(source)
    if text in published.names():
        return published.read(text), text
    if not os.path.isfile(text):
        raise UserError(
            f'No architecture {shown(text)}: neither a file nor one of the published '
            f'{", ".join(published.names())}.'
        )
    if text.endswith('.json'):
        return _read_json(text), text
    return _described(Checkpoint.read(text))


def digest(description: Mapping[str, Any]) -> str:
    """SHA-256 of everything in a description that is compared; 16 hex digits."""
    left_out = ('name', 'source', 'version')
    content = {key: value for key, value in description.items() if key not in left_out}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def fields_of(description: Any) -> dict[str, Any]:
    """The fields of an architecture out of its description.

    Wherever it comes from, it is data: what it names is checked before anything of it is built.

    Raises:
        UserError: Wrong format or version, unknown or missing keys, or a network that is not
            registered, or has settings that are none.
    """
    if not isinstance(description, Mapping):
        raise UserError(f'an architecture is a dict, got a {type(description).__name__}.')
    header = HEADER | {key: description[key] for key in HEADER if key in description}
    if header['format'] != FORMAT:
        raise UserError(f'format is {shown(header["format"])}, expected {FORMAT!r}.')
    if header['version'] not in READABLE:
        raise UserError(
            f'version {shown(header["version"])} is unknown; this release reads '
            f'{" and ".join(map(str, READABLE))}.'
        )
    fields = {key: value for key, value in description.items() if key not in HEADER}
    unknown, missing = set(fields) - set(FIELDS), set(REQUIRED) - set(fields)
    if unknown or missing:
        raise UserError(
            f'unknown keys {sorted(unknown)}, missing keys {sorted(missing)}; valid are '
            f'{sorted([*HEADER, *FIELDS])}.'
        )
    for part in ('backbone', 'head'):
        check_from_file(fields[part], part)
    return fields


def _described(checkpoint: Checkpoint) -> tuple[Mapping, str]:
    if checkpoint.architecture is None:
        raise UserError(
            f"{checkpoint.path} does not describe its architecture (no meta['architecture']): it "
            'was not written by rethink_det. Give the architecture by name or JSON file.'
        )
    return checkpoint.architecture, checkpoint.path


def _read_json(path: str) -> Mapping:
    try:
        data = json.loads(Path(path).read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f'{path} is no architecture JSON: {error}') from None
    if not isinstance(data, dict):
        raise UserError(f'{path} is no architecture JSON: it holds a {type(data).__name__}.')
    return data
