"""Detectors: adapting any config, evaluation.

The modules that need mmdet (``coco_metric``, ``shapes``) are imported by the registries when a
config asks for them.
"""

from functools import partial
from typing import TYPE_CHECKING

from rethink_det.arms import ARMS, DETECTION, Arm
from rethink_det.detection.transfer.adapt import transfer_config
from rethink_det.moved import old_names
from rethink_det.transfer.settings import TransferSettings

__all__ = [
    'TransferSettings',
    'transfer_config',
]

if not TYPE_CHECKING:
    __getattr__ = old_names(
        __name__,
        {
            'TRANSFER_ARMS': ('arms.ARMS', lambda: {arm.name: arm for arm in ARMS.of(DETECTION)}),
            'TransferArm': ('arms.Arm', lambda: Arm),
            'get_transfer_arm': ('arms.ARMS.get', lambda: partial(ARMS.get, DETECTION)),
        },
    )
