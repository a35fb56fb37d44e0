"""Putting a pruned backbone into a detector's config."""

from copy import deepcopy
from os import PathLike

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import RUNTIME_KEYS, feature_widths
from rethink_det.detection.arms import TransferArm
from rethink_det.errors import UserError

# Weights come from the transfer, so the old backbone's initializer goes with it.
_KEPT = [key for key in RUNTIME_KEYS if key not in ('init_cfg', 'pretrained')]


def transfer_config(
    config: Config,
    arm: TransferArm,
    architecture: str | PathLike,
    weights: str | PathLike | None = None,
) -> Config:
    """A detector's config with another backbone, everything else kept.

    Args:
        config: Config of any detector with a ``backbone``.
        arm: Which transfer arm.
        architecture: Published name, JSON file or checkpoint that gives the shape.
        weights: Checkpoint of the trained classifier; for ``random`` that of the pruner, if
            the architecture has weight masks, which are in there.

    Raises:
        UserError: The config is no detector, its backbone is of another family than the
            architecture, or the arm needs weights or masks and there are none.
    """
    config = deepcopy(config)
    old = (config.get('model') or {}).get('backbone')
    if old is None:
        raise UserError('The config is no detector: it has no model.backbone.')
    if arm.source and weights is None:
        raise UserError(f'Transfer arm {arm.name} needs the checkpoint of a trained classifier.')
    shape = PrunedArchitecture.load(architecture)
    runtime = {key: old[key] for key in _KEPT if key in old}
    config.model.backbone = {
        **runtime,
        **arm.frozen_settings,
        'type': 'rethink_det.PrunedBackbone',
        'architecture': str(architecture),
    }
    _set_neck(config, shape)
    hooks = _hooks(arm, shape, weights)
    config.custom_hooks = [*(config.get('custom_hooks') or []), *hooks]
    return config


def _hooks(
    arm: TransferArm, shape: PrunedArchitecture, weights: str | PathLike | None
) -> list[dict]:
    """What brings weights and weight masks in."""
    transfer = {'type': 'rethink_det.TransferHook', 'arm': arm.name}
    if arm.source:
        transfer['checkpoint'] = str(weights)
    if not shape.masks:
        return [transfer]
    if weights is None:
        raise UserError('The architecture has weight masks: give the checkpoint they are in.')
    mask = {'type': 'rethink_det.MaskHook', 'checkpoint': str(weights), 'part': 'backbone'}
    return [transfer, {**mask, 'redraw': arm.source is None}]


def _set_neck(config: Config, shape: PrunedArchitecture) -> None:
    """Tell the neck the widths of the feature maps it is going to read."""
    neck = config.model.get('neck')
    if not neck or 'in_channels' not in neck:
        return
    outputs = config.model.backbone.get('out_indices', (0, 1, 2, 3))
    widths = feature_widths(shape.build(out_indices=outputs), shape.input_shape)
    if len(widths) != len(neck.in_channels):
        raise UserError(
            f'The neck reads {len(neck.in_channels)} feature maps, the backbone gives '
            f'{len(widths)}; set model.backbone.out_indices.'
        )
    neck.in_channels = widths
