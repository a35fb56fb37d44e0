"""Putting a pruned backbone into a detector's config."""

import os
from collections.abc import Mapping, MutableMapping
from copy import deepcopy
from dataclasses import replace
from functools import partial
from os import PathLike
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.network import build_backbone
from rethink_det.arms import ARMS, Arm
from rethink_det.detection.adapted import Adapted, Change, difference
from rethink_det.detection.backbone_arguments import backbone_arguments
from rethink_det.detection.evaluation.evaluators import set_evaluators
from rethink_det.detection.feature_maps import feature_maps, place_outputs
from rethink_det.detection.measuring.cost import detector_cost
from rethink_det.detection.transfer.backbone_settings import (
    check_replaceable,
    runtime_settings,
)
from rethink_det.detection.transfer.enough_places import pad_for_queries
from rethink_det.detection.transfer.evaluable import let_evaluate
from rethink_det.detection.transfer.layer_decay import one_rate
from rethink_det.detection.transfer.normalisation import set_normalisation
from rethink_det.detection.transfer.pretrained import drop_pretrained
from rethink_det.detection.transfer.reading import restore_neck, tell_widths
from rethink_det.detection.transfer.settings import TransferSettings
from rethink_det.detection.transfer.shared_head import PLACE, adapt_shared_head
from rethink_det.detection.wrapped import MODEL, detector_of
from rethink_det.errors import UserError
from rethink_det.registered import is_type, scope_of
from rethink_det.registry import HOOKS
from rethink_det.training import Budget
from rethink_det.training.arm_weights import check_kind
from rethink_det.training.budget import Base
from rethink_det.training.config import import_this_package

WEIGHT_HOOKS = ('rethink_det.TransferHook', 'rethink_det.MaskHook')
"""Hooks that bring a backbone's weights in: a config's own go with its backbone."""


def transfer_config(
    config: Config,
    arm: Arm,
    architecture: str | PathLike,
    weights: str | PathLike | None = None,
    settings: TransferSettings | None = None,
    epochs: int | None = None,
) -> Adapted:
    """A detector's config with another backbone, everything else kept.

    What reads the backbone is told its widths, images are normalised as the classifier's were,
    a shared head (C4) becomes the last stage of the architecture, and COCO and VOC metrics are
    evaluated by this package.

    Args:
        config: Config of any detector with a ``backbone``, or of a model that has one for its
            ``detector``.
        arm: Which transfer arm.
        architecture: Published name, JSON file or checkpoint that gives the shape.
        weights: Checkpoint of the trained classifier, for ``prune-d`` of the pruned detector;
            for ``random`` that of the pruner, if the architecture has weight masks, which are
            in there.
        settings: Schedule, SyncBN, and whether the weights were not fine-tuned.
        epochs: The config's schedule is compressed or stretched to so many.

    Returns:
        The config, and what else than its backbone is different.

    Raises:
        UserError: The config is no detector, or one whose backbone cannot be replaced by this
            one (says why), or the arm needs weights or masks and there are none, or those of
            another arm, see :mod:`~rethink_det.training.arm_weights`.
    """
    settings = settings or TransferSettings()
    arm = ARMS.untuned(arm) if settings.untuned else arm
    _check(config, arm, weights)
    checkpoint = _read(arm, weights)
    config = deepcopy(config)
    place, detector = detector_of(config)
    shape, own = PrunedArchitecture.load(architecture), deepcopy(detector)
    with scope_of(config, 'mmdet'):
        changes = _replace_backbone(detector, shape, architecture, arm)
        changes = _moved(changes + let_evaluate(detector), place)
        changes += drop_pretrained(config.model, arm)
    changes += set_normalisation(
        config, None if checkpoint is None else checkpoint.input_convention
    )
    changes += set_evaluators(config)
    changes += pad_for_queries(config)
    changes += one_rate(config)
    base = None if epochs is None else Base(Budget.of(config), epochs, 1, 1)
    if settings.compares_detectors(arm):
        base = _whole_detectors(epochs, config, own, shape, arm)
    settings.apply(config, arm, base)
    others = [hook for hook in config.get('custom_hooks') or [] if not _brings_weights(hook)]
    config.custom_hooks = [*others, *_hooks(config, arm, shape, weights)]
    import_this_package(config)
    return Adapted(config, tuple(changes))


def _check(config: Config, arm: Arm, weights: str | PathLike | None) -> None:
    place, _ = detector_of(config)
    if arm.takes_weights and arm.whole and place != MODEL:
        raise UserError(
            f'Arm {arm.name} takes the weights of a whole detector, which {place} is a part of: '
            'no checkpoint of it is trained or pruned by itself here. Take another arm.'
        )
    if arm.takes_weights and weights is None:
        raise UserError(f'Transfer arm {arm.name} needs {arm.start.value}.')
    if config.get('load_from'):
        raise UserError(
            f'The config starts from a trained detector, load_from={config.load_from!r}: no arm '
            'could be told from another. Set load_from=None.'
        )


def _read(arm: Arm, weights: str | PathLike | None) -> Checkpoint | None:
    """The checkpoint that the arm takes weights from.

    Of ``random`` it is the pruner's, if that is given: its images are normalised alike, so that
    arms differ in their weights alone.

    Refuses a classifier where a whole detector is needed, and a detector elsewhere.
    """
    if weights is None or not (arm.takes_weights or is_checkpoint(weights)):
        return None
    checkpoint = Checkpoint.read(weights)
    if arm.takes_weights:
        check_kind(arm, checkpoint)
    return checkpoint


def _whole_detectors(
    epochs: int | None, config: Config, own: Mapping, shape: PrunedArchitecture, arm: Arm
) -> Base:
    """The schedule, the MACs of the detector, and those of that with the unpruned backbone.

    Args:
        epochs: Of the schedule, if they are not the config's.
        config: Of the detector, adapted.
        own: Of the detector itself, before.
        shape: Of the pruned backbone.
        arm: Which transfer arm.
    """
    unpruned = deepcopy(config)
    _, detector = detector_of(unpruned)
    detector.clear()
    detector.update(deepcopy(own))
    with scope_of(unpruned, 'mmdet'):
        _replace_backbone(detector, shape.base, shape.base.to_dict(), arm)
    full, pruned = (detector_cost(one).whole.macs for one in (unpruned, config))
    return Base(Budget.of(config), epochs, full, pruned)


def _replace_backbone(
    model: MutableMapping,
    shape: PrunedArchitecture,
    architecture: str | PathLike | Mapping,
    arm: Arm,
) -> list[Change]:
    """The new backbone, and everything in ``model`` that depends on it, in place."""
    old = model['backbone']
    check_replaceable(old, shape)
    restored = restore_neck(model)
    own = model.pop('pretrained', None)  # the model would hand it to its backbone, whatever that is
    # Weights come from the transfer, so the old backbone's initializer goes with it.
    bare = {key: value for key, value in old.items() if key not in ('init_cfg', 'pretrained')}
    wanted = feature_maps(partial(build_backbone, bare))
    runtime, changes = runtime_settings(old, shape, arm)
    changes += difference('model.pretrained', own, None, 'weights of the backbone before')
    selectable = 'out_indices' in backbone_arguments(shape.backbone['type'])
    runtime, found = place_outputs(shape, runtime, wanted, selectable)
    if 'num_stages' in runtime:
        stages = old.get('num_stages', runtime['num_stages'])
        unread = 'nothing reads those after it'
        changes += difference('model.backbone.num_stages', stages, runtime['num_stages'], unread)
    model['backbone'] = {
        'type': 'rethink_det.PrunedBackbone',
        'architecture': architecture if isinstance(architecture, Mapping) else str(architecture),
        **runtime,
    }
    whole = feature_maps(partial(shape.base.build, **runtime)) if shape.channels else found
    changes += tell_widths(model, restored or [m.width for m in wanted], whole, found)
    roi_head = model.get('roi_head') or {}
    if roi_head.get('shared_head'):
        changes += adapt_shared_head(roi_head, shape, architecture, runtime, arm)
    return changes


def _moved(changes: list[Change], place: str) -> list[Change]:
    """Changes of a detector's config, said of where it is."""
    prefix = f'{MODEL}.'
    return [
        replace(change, place=f'{place}.{change.place.removeprefix(prefix)}')
        if change.place.startswith(prefix)
        else change
        for change in changes
    ]


def is_checkpoint(source: str | PathLike | None) -> bool:
    """Whether an architecture's source is a file with weights, not a name nor a JSON file."""
    return source is not None and os.path.isfile(source) and not str(source).endswith('.json')


def _brings_weights(hook: Mapping) -> bool:
    return is_type(hook, WEIGHT_HOOKS, HOOKS)


def _hooks(
    config: Config, arm: Arm, shape: PrunedArchitecture, weights: str | PathLike | None
) -> list[dict]:
    """What brings weights and weight masks in."""
    place, detector = detector_of(config)
    transfer: dict[str, Any] = {'type': 'rethink_det.TransferHook', 'arm': arm.name}
    if arm.takes_weights:
        transfer['checkpoint'] = str(weights)
        if arm.untuned:
            transfer['untuned'] = True
        if arm.whole:
            transfer['part'] = None
        elif (detector.get('roi_head') or {}).get('shared_head'):
            transfer['rest'] = PLACE
    if not shape.masks:
        return [transfer]
    if place != MODEL:
        raise UserError(
            f'The architecture has weight masks, which cannot follow into {place}: take one '
            'without, or a detector that is the model itself.'
        )
    if weights is None:
        raise UserError('The architecture has weight masks: give the checkpoint they are in.')
    mask = {'type': 'rethink_det.MaskHook', 'checkpoint': str(weights), 'part': 'backbone'}
    return [transfer, {**mask, 'redraw': not arm.takes_weights}]
