"""Detectors: adapting any config, evaluation.

The modules that need mmdet (``coco_metric``, ``shapes``) are imported by the registries when a
config asks for them.
"""

from rethink_det.detection.transfer.adapt import transfer_config
from rethink_det.detection.transfer.settings import TransferSettings

__all__ = [
    'TransferSettings',
    'transfer_config',
]
