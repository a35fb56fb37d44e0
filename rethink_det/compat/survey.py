"""Which of mmcv's operators are compiled here, which are this package's, which are missing."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from rethink_det.compat.finder import EXT_MODULE, ORIGIN


class Survey(NamedTuple):
    """Operators by their names in ``mmcv._ext``, sorted; every one that mmcv asks for once."""

    compiled: tuple[str, ...]
    """mmcv's own."""
    supplied: tuple[str, ...]
    """This package's, `rethink_det.compat.operators`; empty if mmcv came with its own."""
    missing: tuple[str, ...]
    """Nobody's: they raise an error when called."""


def survey() -> Survey:
    """Look at the mmcv that is installed. Imports mmcv, but not ``mmcv.ops``.

    Raises:
        ImportError: mmcv is not installed, or its compiled operators cannot be loaded, as when
            they were compiled for another torch.
    """
    asked = _asked_for()
    module = import_module(EXT_MODULE)
    here = tuple(name for name in asked if name in vars(module))
    missing = tuple(name for name in asked if name not in vars(module))
    ours = getattr(module.__spec__, 'origin', None) == ORIGIN
    return Survey((), here, missing) if ours else Survey(here, (), missing)


def _asked_for() -> list[str]:
    """What the files of ``mmcv.ops`` name in ``ext_loader.load_ext('_ext', [...])``."""
    spec = find_spec('mmcv.ops')
    if spec is None or spec.origin is None:
        raise ImportError('mmcv has no package mmcv.ops')
    names: set[str] = set()
    for file in Path(spec.origin).parent.glob('*.py'):
        if file.stem != 'info':  # the compiler's version, no operators
            names.update(_named_in(file.read_text(encoding='utf-8')))
    return sorted(names)


def _named_in(source: str) -> list[str]:
    return [
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, 'attr', '') == 'load_ext'
        for name in ast.literal_eval(node.args[1])
    ]
