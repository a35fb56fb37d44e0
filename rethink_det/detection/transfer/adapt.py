"""Putting a pruned backbone into a detector's config."""

from collections.abc import Mapping, MutableMapping
from copy import deepcopy
from dataclasses import replace
from os import PathLike
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.arms import ARMS, DETECTION, Arm
from rethink_det.detection.evaluation.evaluators import set_evaluators
from rethink_det.detection.measuring.cost import detector_cost
from rethink_det.detection.transfer.enough_places import pad_for_queries
from rethink_det.detection.transfer.evaluable import let_evaluate
from rethink_det.detection.transfer.layer_decay import one_rate
from rethink_det.detection.transfer.reading import restore_neck, tell_widths
from rethink_det.detection.transfer.shared_head import PLACE, adapt_shared_head
from rethink_det.detection.wrapped import MODEL, detector_of
from rethink_det.errors import UserError
from rethink_det.registered import scope_of
from rethink_det.training import Budget
from rethink_det.training.budget import Base
from rethink_det.training.config import import_this_package
from rethink_det.transfer.adapted import Adapted, Change, difference
from rethink_det.transfer.new_backbone import new_backbone
from rethink_det.transfer.normalisation import set_normalisation
from rethink_det.transfer.pretrained import drop_pretrained
from rethink_det.transfer.settings import TransferSettings
from rethink_det.transfer.weights import check_given, read_weights, set_hooks


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
    checkpoint = read_weights(arm, weights)
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
    _check_masks(shape, place)
    set_hooks(config, arm, shape, weights, _told(detector, arm))
    import_this_package(config)
    return Adapted(config, tuple(changes))


def _check(config: Config, arm: Arm, weights: str | PathLike | None) -> None:
    place, _ = detector_of(config)
    if arm.takes_weights and arm.whole and place != MODEL:
        raise UserError(
            f'Arm {arm.name} takes the weights of a whole detector, which {place} is a part of: '
            'no checkpoint of it is trained or pruned by itself here. Take another arm.'
        )
    check_given(config, arm, weights)


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
    unpruned = with_shape(unpruned, shape.base)
    full, pruned = (detector_cost(one).whole.macs for one in (unpruned, config))
    return Base(Budget.of(config), epochs, full, pruned)


def with_shape(config: Config, shape: PrunedArchitecture) -> Config:
    """The config of a detector with a backbone of another shape, to count or to time it.

    Args:
        config: Of the detector; a copy is made.
        shape: Of the backbone.

    Raises:
        UserError: The backbone cannot be replaced by such a one.
    """
    config = deepcopy(config)
    _, detector = detector_of(config)
    with scope_of(config, 'mmdet'):
        _replace_backbone(detector, shape, shape.to_dict(), ARMS.from_nothing(DETECTION))
    return config


def _replace_backbone(
    model: MutableMapping,
    shape: PrunedArchitecture,
    architecture: str | PathLike | Mapping,
    arm: Arm,
) -> list[Change]:
    """The new backbone, and everything in ``model`` that depends on it, in place."""
    restored = restore_neck(model)
    new = new_backbone(model['backbone'], shape, architecture, arm)
    # The model would hand them to its backbone, whatever that is.
    own = model.pop('pretrained', None)
    changes = difference('model.pretrained', own, None, 'weights of the backbone before')
    model['backbone'] = new.config
    old = restored or [one.width for one in new.wanted]
    changes += new.changes + tell_widths(model, old, new.whole, new.found)
    roi_head = model.get('roi_head') or {}
    if roi_head.get('shared_head'):
        changes += adapt_shared_head(roi_head, shape, architecture, new.runtime, arm)
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


def _told(detector: Mapping, arm: Arm) -> dict[str, Any]:
    """What else the hook that brings weights in is told of a detector."""
    if arm.whole:
        return {'part': None}
    shared = (detector.get('roi_head') or {}).get('shared_head')
    return {'rest': PLACE} if shared else {}


def _check_masks(shape: PrunedArchitecture, place: str) -> None:
    if shape.masks and place != MODEL:
        raise UserError(
            f'The architecture has weight masks, which cannot follow into {place}: take one '
            'without, or a detector that is the model itself.'
        )
