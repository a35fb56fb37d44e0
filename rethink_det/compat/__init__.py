"""What third parties lack: mmcv's operators where mmcv came without its compiled ones.

``install()`` makes ``mmcv._ext`` importable with NMS and RoIAlign from torchvision.
Compiled operators, where present, are used and nothing is replaced.
"""

from rethink_det.compat.finder import MmcvExtFinder, install

__all__ = ['MmcvExtFinder', 'install']
