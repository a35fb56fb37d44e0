"""Paths in texts, without the folders of the machine that wrote them."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any


def placed(value: Any, *folders: Path) -> Any:
    """Plain values whose paths are relative to some folders, else to the home (``~``).

    Args:
        value: A text with paths in it, or mappings and lists that hold some.
        folders: The first that a path lies in counts.
    """
    if isinstance(value, Mapping):
        return {key: placed(one, *folders) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [placed(one, *folders) for one in value]
    if not isinstance(value, str):
        return value
    for base, name in [*((folder, '.') for folder in folders), (Path.home(), '~')]:
        if base != Path(base.anchor):  # a container's home is its root
            value = re.sub(_whole(base), partial(_shortened, name), value)
    return value


def _whole(base: Path) -> str:
    """Matches a folder where it starts a path, with the slash behind it."""
    return rf'(?<![\w./-]){re.escape(str(base))}(/|(?![\w.-]))'


def _shortened(name: str, found: re.Match) -> str:
    return '' if found[1] and name == '.' else f'{name}{found[1]}'
