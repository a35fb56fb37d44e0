"""What third parties print when they are imported: nothing that a user can act on.

They tell of datasets and evaluators that it cannot import, which no config asked for; whoever
asks for one is told then.
"""

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

VERBOSE = 'RETHINK_DET_VERBOSE'
"""Environment variable that brings all of it back, here and on a training's console."""
NOISY = ('mmdet.datasets', 'mmdet.evaluation', 'mmpretrain.datasets', 'mmseg.datasets')
"""Packages that print when they are imported."""


def is_verbose() -> bool:
    """Whether everything shall be printed that there is to print."""
    return bool(os.environ.get(VERBOSE))


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Nothing is printed and no warning given, unless all is asked for; errors are raised."""
    if is_verbose():
        yield
        return
    nowhere = io.StringIO()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        warnings.simplefilter('ignore')
        yield


class _QuietLoader(Loader):
    """Executes a module as its own loader does, quietly, and leaves that in its place."""

    def __init__(self, own: Loader) -> None:
        self.own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self.own
        with quietly():
            self.own.exec_module(module)


class QuietFinder(MetaPathFinder):
    """Meta-path finder for the packages of :data:`NOISY`; first in line, it asks Python's own."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Python's spec with a quiet loader; None, i.e. "not mine", for every other name."""
        spec = PathFinder.find_spec(fullname, path) if fullname in NOISY else None
        if spec is not None and spec.loader is not None:
            spec.loader = _QuietLoader(spec.loader)
        return spec


def install() -> None:
    """Put one `QuietFinder` at the head of ``sys.meta_path``. Idempotent; imports nothing."""
    if not any(isinstance(finder, QuietFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, QuietFinder())
