"""Detectors: transfer arms, adapting any config, evaluation.

The modules that need mmdet (``metric``, ``shapes``) are imported by the registries when a
config asks for them.
"""

from rethink_det.detection.transfer.adapt import transfer_config
from rethink_det.detection.transfer.arms import TRANSFER_ARMS, TransferArm, get_transfer_arm
from rethink_det.detection.transfer.settings import TransferSettings

__all__ = [
    'TRANSFER_ARMS',
    'TransferArm',
    'TransferSettings',
    'get_transfer_arm',
    'transfer_config',
]
