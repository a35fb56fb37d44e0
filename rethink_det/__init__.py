"""rethink_det: does a pruned network owe its quality to its weights or to its architecture?

Importing the package is quick and loads neither torch nor MMEngine: MMEngine imports
``rethink_det.registry`` by itself where a config says ``type='rethink_det.X'``. Where mmcv
comes without compiled operators, the import lends it torchvision's.
"""

from importlib.util import find_spec

if find_spec('mmengine') is None:
    raise ImportError(
        'rethink_det needs MMEngine, mmcv and mmdet. Install one of the two lines, not both: '
        "pip install 'rethink-det[onedl]' (the maintained one) or "
        "pip install 'rethink-det[openmmlab]' (the official one)."
    )

from rethink_det import compat, moved
from rethink_det.errors import UserError

compat.install()
moved.install()

__version__ = '0.1.0.dev0'
__all__ = ['UserError', '__version__']
