"""Architectures of published experiments, JSON files beside this one, by name."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent / 'published'


def names() -> list[str]:
    """Names of all published architectures, sorted."""
    return sorted(path.stem for path in FOLDER.glob('*.json'))


def read(name: str) -> dict:
    """The JSON of one of :func:`names`, as a dict."""
    return json.loads((FOLDER / f'{name}.json').read_text())
