"""What third parties lack: mmcv's operators where mmcv came without its compiled ones.

``install()`` makes ``mmcv._ext`` importable with those that detectors call most, on
torchvision's and torch's own. Compiled operators, where present, are used and nothing is
replaced. ``survey()`` tells which is the case, and what is missing.
"""

from rethink_det.compat import quiet
from rethink_det.compat.finder import MmcvExtFinder, install
from rethink_det.compat.survey import Survey, survey

__all__ = ['MmcvExtFinder', 'Survey', 'install', 'quiet', 'survey']
