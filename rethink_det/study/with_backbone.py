"""One training by itself, in the place of one of a study: a config with another backbone."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION, SEGMENTATION, Arm
from rethink_det.classification.arm_config import ArmSettings, arm_config, is_classifier
from rethink_det.convert import library_checkpoint
from rethink_det.detection import TransferSettings, transfer_config
from rethink_det.errors import UserError
from rethink_det.packages import is_library_name
from rethink_det.registered import is_type
from rethink_det.registry import HOOKS
from rethink_det.report.schema import read
from rethink_det.segmentation.epochs import in_epochs
from rethink_det.segmentation.segmenter import is_segmenter
from rethink_det.segmentation.transfer.adapt import segmenter_config
from rethink_det.training.config import name_arm
from rethink_det.transfer.adapted import Adapted

TRANSFER = 'rethink_det.TransferHook'
SETTINGS = '--arm-settings'
"""What messages call the settings of an arm."""


def with_backbone(
    config: Config,
    backbone: str | os.PathLike,
    arm: str,
    settings: Mapping[str, Any] | None = None,
    ema: bool = False,
) -> Adapted:
    """The config of an arm: of a classifier, a segmenter or, for any other model, of a detector.

    Args:
        config: Of the model that is to have the backbone; left as it is.
        backbone: Checkpoint, ``timm:NAME`` or ``torchvision:NAME``, or an architecture where the
            arm takes no weights.
        arm: Its name.
        settings: Of the arm, fields of :class:`ArmSettings` or :class:`TransferSettings`.
        ema: Take the weights of the checkpoint that were averaged over its training.

    Returns:
        The config, and what else than its backbone is different.

    Raises:
        UserError: Unknown arm or setting, weights that the arm needs and that are not there or
            are another's, or a model whose backbone cannot be replaced by this one.

    Example:
        >>> from rethink_det import load_config, with_backbone
        >>> config = load_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py')
        >>> adapted = with_backbone(config, 'resnet50-thinet-50', 'random')
        >>> adapted.config.model.backbone.architecture
        'resnet50-thinet-50'
        >>> print(adapted.changes[0])
        val_evaluator.type: CocoMetric -> rethink_det.CocoMetric, with the same numbers
    """
    source = os.fspath(backbone)
    source = library_checkpoint(source) if is_library_name(source) else source
    if is_classifier(config):
        chosen = ARMS.get(CLASSIFICATION, arm)
        budgets = read(ArmSettings, settings or {}, SETTINGS)
        if budgets.tune_lr:
            raise UserError(f'{SETTINGS}: tune_lr is for studies; here say which rate to take.')
        _check_weights(source, chosen)
        arms_own = arm_config(config, chosen, budgets, source, source)
        name_arm(arms_own, chosen.name)
        return _averaged(Adapted(arms_own, ()), source, ema)
    stage = SEGMENTATION if is_segmenter(config) else DETECTION
    chosen = ARMS.get(stage, arm)
    transfer = replace(read(TransferSettings, settings or {}, SETTINGS), stage=stage)
    _check_weights(source, chosen)
    if stage == DETECTION:
        return _averaged(transfer_config(config, chosen, source, source, transfer), source, ema)
    by_epochs = in_epochs(config)
    own = segmenter_config(by_epochs.config, chosen, source, source, transfer)
    return _averaged(Adapted(own.config, (*by_epochs.changes, *own.changes)), source, ema)


def _averaged(adapted: Adapted, source: str, ema: bool) -> Adapted:
    """Let the hook that brings the weights in take the averaged ones, where that is asked for."""
    if not ema:
        return adapted
    hooks = [hook for hook in adapted.config.custom_hooks if is_type(hook, TRANSFER, HOOKS)]
    given = [hook for hook in hooks if hook.get('checkpoint')]
    if not given:
        raise UserError(f'--ema: the arm takes no weights of {source}.')
    for hook in given:
        hook['ema'] = True
    return adapted


def _check_weights(source: str, arm: Arm) -> None:
    """Refuse a published name where the weights of something are needed."""
    if arm.takes_weights and not os.path.isfile(source):
        PrunedArchitecture.load(source)  # refuses a name that nothing has
        raise UserError(
            f'--backbone {source} is a shape, it has no weights: arm {arm.name} needs '
            f'{arm.start.value}.'
        )
