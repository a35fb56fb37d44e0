"""The weights of an arm's backbone: the file that they are in, and the hooks that bring them."""

import os
from collections.abc import Mapping
from os import PathLike
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.arms import Arm
from rethink_det.errors import UserError
from rethink_det.registered import is_type
from rethink_det.registry import HOOKS
from rethink_det.training.arm_weights import check_kind

TRANSFER, MASK = WEIGHT_HOOKS = ('rethink_det.TransferHook', 'rethink_det.MaskHook')
"""Hooks that bring a backbone's weights in: a config's own go with its backbone."""


def check_given(config: Config, arm: Arm, weights: str | PathLike | None) -> None:
    """Refuse an arm without the weights that it takes, and a model that is trained already.

    Args:
        config: Of the model that gets another backbone.
        arm: Which transfer arm.
        weights: The file, if there is one.

    Raises:
        UserError: Says what is missing, or what to leave out.
    """
    if arm.takes_weights and weights is None:
        raise UserError(f'Transfer arm {arm.name} needs {arm.start.value}.')
    if config.get('load_from'):
        raise UserError(
            f'The config starts from a trained model, load_from={config.load_from!r}: no arm '
            'could be told from another. Set load_from=None.'
        )


def read_weights(arm: Arm, weights: str | PathLike | None) -> Checkpoint | None:
    """The checkpoint that the arm takes weights from.

    Of ``random`` it is the pruner's, if that is given: its images are normalised alike, so that
    arms differ in their weights alone.

    Args:
        arm: Which transfer arm.
        weights: A checkpoint, or what gives a shape alone.

    Raises:
        UserError: It is of a classifier where a whole model is needed, or the other way round.
    """
    if weights is None or not (arm.takes_weights or is_checkpoint(weights)):
        return None
    checkpoint = Checkpoint.read(weights)
    if arm.takes_weights:
        check_kind(arm, checkpoint)
    return checkpoint


def is_checkpoint(source: str | PathLike | None) -> bool:
    """Whether an architecture's source is a file with weights, not a name nor a JSON file."""
    return source is not None and os.path.isfile(source) and not str(source).endswith('.json')


def set_hooks(
    config: Config,
    arm: Arm,
    shape: PrunedArchitecture,
    weights: str | PathLike | None,
    told: Mapping[str, Any] | None = None,
) -> None:
    """Let hooks bring weights and weight masks in, in the place of a config's own, in place.

    Args:
        config: Of the model, its backbone replaced.
        arm: Which transfer arm.
        shape: Architecture of the backbone.
        weights: Checkpoint of its weights, or of its masks.
        told: What else the hook is told, where the arm takes weights.

    Raises:
        UserError: The architecture has weight masks, and there is no checkpoint.
    """
    transfer: dict[str, Any] = {'type': TRANSFER, 'arm': arm.name}
    if arm.takes_weights:
        untuned = {'untuned': True} if arm.untuned else {}
        transfer |= {'checkpoint': str(weights), **untuned, **(told or {})}
    others = [hook for hook in config.get('custom_hooks') or [] if not _brings_weights(hook)]
    config.custom_hooks = [*others, transfer]
    if not shape.masks:
        return
    if weights is None:
        raise UserError('The architecture has weight masks: give the checkpoint they are in.')
    mask = {'type': MASK, 'checkpoint': str(weights), 'part': 'backbone'}
    config.custom_hooks.append({**mask, 'redraw': not arm.takes_weights})


def _brings_weights(hook: Mapping) -> bool:
    return is_type(hook, WEIGHT_HOOKS, HOOKS)
