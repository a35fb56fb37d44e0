"""Answers ``import mmcv._ext`` where nobody else can: last in line on ``sys.meta_path``.

Standing last is the whole mechanism: a compiled ``mmcv._ext`` is found by Python's
path finder before this one is asked. Nothing is patched, and nothing is imported until
mmcv itself asks for its operators (``mmcv/utils/ext_loader.py``, ``load_ext``).
"""

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NoReturn

from rethink_det.compat.missing import missing_operator

EXT_MODULE = 'mmcv._ext'
ORIGIN = 'rethink_det.compat'
"""``mmcv._ext.__spec__.origin`` where this package supplies the module."""


def _placeholder(name: str) -> Callable[..., NoReturn]:
    """A stand-in for operator ``name``: raises ``missing_operator(name)`` when called.

    mmcv asks for every operator by name when ``mmcv.ops`` is imported, so the refusal
    must wait for the call. Private and dunder names are no operators: Python and
    ``inspect`` probe for them and expect an AttributeError.
    """
    if name.startswith('_'):
        raise AttributeError(f"module '{EXT_MODULE}' has no attribute '{name}'")

    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise missing_operator(name)

    refuse.__name__ = refuse.__qualname__ = name
    return refuse


class _OperatorsLoader(Loader):
    """Fills the module ``mmcv._ext`` with the operators that this package supplies."""

    def exec_module(self, module: ModuleType) -> None:
        # By name and only now: installing the finder must not import torchvision.
        operators = import_module('rethink_det.compat.operators')
        for name in operators.__all__:
            setattr(module, name, getattr(operators, name))
        module.__doc__ = operators.__doc__
        vars(module)['__getattr__'] = _placeholder


class MmcvExtFinder(MetaPathFinder):
    """Meta-path finder for the single module ``mmcv._ext``."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """A spec for ``mmcv._ext``; None, i.e. "not mine", for every other name."""
        if fullname != EXT_MODULE:
            return None
        return ModuleSpec(fullname, _OperatorsLoader(), origin=ORIGIN)


def install() -> None:
    """Put one `MmcvExtFinder` at the end of ``sys.meta_path``. Idempotent; imports nothing.

    Warns:
        UserWarning: mmdet's models were imported earlier and found no operators.
            onedl-mmdetection then keeps stand-ins that fail when called, and no later
            installation reaches them.
    """
    if any(isinstance(finder, MmcvExtFinder) for finder in sys.meta_path):
        return
    if 'mmdet.models' in sys.modules and EXT_MODULE not in sys.modules:
        warnings.warn(
            'mmdet was imported before rethink_det and found no mmcv operators; NMS, RoIAlign and '
            'others will fail when called. Import rethink_det first (a config: custom_imports = '
            "dict(imports=['rethink_det'])).",
            stacklevel=2,
        )
    sys.meta_path.append(MmcvExtFinder())
