"""A file that says what was kept of a network, beside the weights."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.channel_indices import Kept
from rethink_det.architecture.checkpoint_file import load_plain
from rethink_det.convert.mmrazor import is_mmrazor, read_choices
from rethink_det.convert.torch_pruning import history_in, replay
from rethink_det.errors import UserError


def read_subnet(path: str | os.PathLike, parent: PrunedArchitecture) -> Mapping[str, Kept]:
    """What each layer that lost channels keeps: indices where the file tells them, else a count.

    Args:
        path: JSON, YAML, or a file of torch's: a pruning history of Torch-Pruning (a list, or
            in a dict under ``'pruning'``), or a ``fix_subnet`` of mmrazor.
        parent: The unpruned network.

    Raises:
        UserError: There is no such file, it needs code to be read, holds something else, or
            is of another network.
    """
    content, where = _content(path), os.fspath(path)
    history = history_in(content)
    if history is not None:
        return replay(history, parent, where)
    if is_mmrazor(content):
        return read_choices(content, parent, where)
    raise UserError(
        f'{where} holds a {type(content).__name__} that is neither a pruning history of '
        'Torch-Pruning, a list of [layer, is_out, channels], nor a fix_subnet of mmrazor by name.'
    )


def _content(path: str | os.PathLike) -> Any:
    suffix = Path(path).suffix
    if suffix not in ('.json', '.yaml', '.yml'):
        return load_plain(path)
    try:
        text = Path(path).read_text()
        return json.loads(text) if suffix == '.json' else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f'{path} cannot be read: {error}') from None
