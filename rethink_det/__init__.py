"""rethink_det: does a pruned network owe its quality to its weights or to its architecture?

Importing the package registers its components with MMEngine (scope ``rethink_det``) and,
where mmcv came without compiled operators, lends it torchvision's. It loads neither mmdet
nor matplotlib.
"""

from importlib.util import find_spec

if find_spec('mmengine') is None:
    raise ImportError(
        'rethink_det needs MMEngine, mmcv and mmdet. Install one of the two lines, not both: '
        "pip install 'rethink-det[onedl]' (the maintained one) or "
        "pip install 'rethink-det[openmmlab]' (the official one)."
    )

from rethink_det import compat, moved, registry
from rethink_det.errors import UserError

compat.install()
moved.install()

__version__ = '0.1.0.dev0'
__all__ = ['UserError', '__version__', 'registry']
