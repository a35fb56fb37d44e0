"""rethink_det: does a pruned network owe its quality to its weights or to its architecture?

Importing the package is quick and loads neither torch nor MMEngine: what stands in ``__all__``
is imported when it is first used, and MMEngine imports ``rethink_det.registry`` by itself where
a config says ``type='rethink_det.X'``. Where mmcv comes without compiled operators, the import
lends it torchvision's.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if find_spec('mmengine') is None:
    raise ImportError(
        'rethink_det needs MMEngine, mmcv and mmdet. Install one of the two lines, not both: '
        "pip install 'rethink-det[onedl]' (the maintained one) or "
        "pip install 'rethink-det[openmmlab]' (the official one)."
    )

from rethink_det import compat, moved
from rethink_det.errors import UserError

if TYPE_CHECKING:
    from rethink_det import registry
    from rethink_det.architecture import Checkpoint, Provenance, PrunedArchitecture
    from rethink_det.convert import convert_checkpoint
    from rethink_det.export import export_onnx
    from rethink_det.prediction import load_detector, load_network
    from rethink_det.pruning import prune
    from rethink_det.report import StudyResults
    from rethink_det.report.page import write_report
    from rethink_det.study import Study, execute_study, trained_network, with_backbone
    from rethink_det.training.config import load_config

compat.install()
compat.quiet.install()
moved.install()

__version__ = '0.2.0'
__all__ = [
    'Checkpoint',
    'Provenance',
    'PrunedArchitecture',
    'Study',
    'StudyResults',
    'UserError',
    '__version__',
    'convert_checkpoint',
    'execute_study',
    'export_onnx',
    'load_config',
    'load_detector',
    'load_network',
    'prune',
    'registry',
    'trained_network',
    'with_backbone',
    'write_report',
]

_HOMES = {
    'Checkpoint': 'rethink_det.architecture',
    'Provenance': 'rethink_det.architecture',
    'PrunedArchitecture': 'rethink_det.architecture',
    'Study': 'rethink_det.study',
    'StudyResults': 'rethink_det.report',
    'convert_checkpoint': 'rethink_det.convert',
    'execute_study': 'rethink_det.study',
    'export_onnx': 'rethink_det.export',
    'load_config': 'rethink_det.training.config',
    'load_detector': 'rethink_det.prediction',
    'load_network': 'rethink_det.prediction',
    'prune': 'rethink_det.pruning',
    'trained_network': 'rethink_det.study',
    'with_backbone': 'rethink_det.study',
    'write_report': 'rethink_det.report.page',
}
"""Where a name comes from when it is first used; type checkers read it above."""


def __getattr__(name: str) -> Any:
    """A name of :data:`_HOMES`, or the registries, imported now."""
    if name == 'registry':
        return import_module('rethink_det.registry')
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
