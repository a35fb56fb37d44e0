"""Putting a pruned backbone into a segmenter's config."""

from collections.abc import Mapping, MutableMapping, Sequence
from copy import deepcopy
from os import PathLike
from typing import Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.arms import ARMS, SEGMENTATION, Arm
from rethink_det.errors import UserError
from rethink_det.registered import scope_of
from rethink_det.segmentation.cost import segmenter_cost
from rethink_det.segmentation.epochs import compress_warm_up
from rethink_det.segmentation.segmenter import BACKBONE, HEAD, SCOPE, check_segmenter
from rethink_det.segmentation.transfer.evaluators import set_evaluators
from rethink_det.segmentation.transfer.heads import set_head_widths
from rethink_det.training import Budget
from rethink_det.training.budget import Base
from rethink_det.training.config import import_this_package
from rethink_det.transfer.adapted import Adapted, Change, difference
from rethink_det.transfer.feature_maps import FeatureMap
from rethink_det.transfer.neck_outputs import output_widths
from rethink_det.transfer.new_backbone import new_backbone
from rethink_det.transfer.normalisation import set_normalisation
from rethink_det.transfer.pretrained import drop_pretrained
from rethink_det.transfer.readers import parts, set_in
from rethink_det.transfer.settings import TransferSettings
from rethink_det.transfer.weights import check_given, read_weights, set_hooks

_PREPROCESSOR = {'type': 'mmseg.SegDataPreProcessor', 'pad_val': 0, 'seg_pad_val': 255}
_SETTINGS = TransferSettings(stage=SEGMENTATION)
_OF_ONE_BACKBONE = ('DDRHead', 'PIDHead', 'DPTHead')
"""They read what is no map of a stage: several at once while they train, or a class token."""
_USUAL = (512, 512)
"""Height and width of the crops that most segmenters train on."""


def segmenter_config(
    config: Config,
    arm: Arm,
    architecture: str | PathLike,
    weights: str | PathLike | None = None,
    settings: TransferSettings = _SETTINGS,
    epochs: int | None = None,
) -> Adapted:
    """A segmenter's config with another backbone, everything else kept.

    Heads and necks are told its widths, images are normalised as the classifier's were, strides
    and dilations of the stages stay those of the config.

    Args:
        config: Config of any model of mmsegmentation with a ``backbone`` and a ``decode_head``.
        arm: Which transfer arm.
        architecture: Published name, JSON file or checkpoint that gives the shape.
        weights: Checkpoint of the trained classifier; for ``random`` that of the pruner, if the
            architecture has weight masks, which are in there.
        settings: Schedule, SyncBN, and whether the weights were not fine-tuned.
        epochs: The config's schedule is compressed or stretched to so many.

    Returns:
        The config, and what else than its backbone is different.

    Raises:
        UserError: The config is no segmenter, or one whose backbone cannot be replaced by this
            one (says why), or the arm needs weights or masks and there are none, or those of
            another arm, see :mod:`~rethink_det.training.arm_weights`.
    """
    check_segmenter(config)
    arm = ARMS.untuned(arm) if settings.untuned else arm
    check_given(config, arm, weights)
    checkpoint = read_weights(arm, weights)
    config, shape = deepcopy(config), PrunedArchitecture.load(architecture)
    own = deepcopy(config.model)
    with scope_of(config, SCOPE):
        changes = _replace_backbone(config.model, shape, architecture, arm)
        changes += drop_pretrained(config.model, arm)
    convention = None if checkpoint is None else checkpoint.input_convention
    changes += set_normalisation(config, convention, _PREPROCESSOR)
    changes += set_evaluators(config)
    base = None if epochs is None else Base(Budget.of(config), epochs, 1, 1)
    if settings.compares_detectors(arm):
        base = _whole_segmenters(epochs, config, own, shape, arm)
    before = (config.get('train_cfg') or {}).get('max_epochs')
    settings.apply(config, arm, base)
    if before is not None:
        changes += compress_warm_up(config, before)
    set_hooks(config, arm, shape, weights)
    import_this_package(config)
    return Adapted(config, tuple(changes))


def _whole_segmenters(
    epochs: int | None, config: Config, own: Mapping, shape: PrunedArchitecture, arm: Arm
) -> Base:
    """The schedule, the MACs of the segmenter, and those of that with the unpruned backbone.

    Args:
        epochs: Of the schedule, if they are not the config's.
        config: Of the segmenter, adapted.
        own: Of its model, before.
        shape: Of the pruned backbone.
        arm: Which transfer arm.
    """
    unpruned = deepcopy(config)
    unpruned.model = deepcopy(own)
    with scope_of(unpruned, SCOPE):
        _replace_backbone(unpruned.model, shape.base, shape.base.to_dict(), arm)
    size = (config.model.get('data_preprocessor') or {}).get('size') or _USUAL
    costs = (segmenter_cost(one, (3, *size)).whole.macs for one in (unpruned, config))
    return Base(Budget.of(config), epochs, *costs)


def _replace_backbone(
    model: MutableMapping,
    shape: PrunedArchitecture,
    architecture: str | PathLike | Mapping,
    arm: Arm,
) -> list[Change]:
    """The new backbone, and everything in ``model`` that depends on it, in place."""
    _check_heads(model)
    new = new_backbone(model['backbone'], shape, architecture, arm)
    own = model.pop('pretrained', None)  # the model would hand it to its backbone
    changes = difference('model.pretrained', own, None, 'weights of the backbone before')
    model['backbone'] = new.config
    old, now = ([one.width for one in maps] for maps in (new.wanted, new.found))
    changes += new.changes
    if not model.get('neck'):
        return changes + set_head_widths(model, old, now)
    before = _made_of(model, new.wanted)
    changes += _tell_neck(model, old, now)
    return changes + set_head_widths(model, before, _made_of(model, new.found))


def _check_heads(model: Mapping) -> None:
    """Refuse heads that read what one backbone alone puts out."""
    for place, head in parts(model, HEAD):
        kind = str(head.get('type')).rpartition('.')[-1]
        if kind in _OF_ONE_BACKBONE:
            raise UserError(
                f'model.{place} ({kind}) reads what {model[BACKBONE].get("type")} puts out and no '
                'other backbone does. Take another config.'
            )


def _tell_neck(model: Mapping, old: Sequence[int], new: Sequence[int]) -> list[Change]:
    place, first = next(parts(model, 'neck'))
    others = list(old) != list(new)
    said = first.get('in_channels')
    changes = set_in(first, 'in_channels', f'model.{place}', old, new, required=others)
    if isinstance(said, tuple):  # JPU takes nothing else
        first['in_channels'] = tuple(first['in_channels'])
    return changes


def _made_of(model: Mapping, maps: Sequence[FeatureMap]) -> list[int]:
    """Widths of what the necks make of feature maps, one after the other."""
    neck: Any = model['neck']
    try:
        return output_widths(neck, maps)
    except Exception as error:  # layers of anyone, at widths they were not made for
        raise UserError(
            f'model.neck cannot be built for feature maps that are {[m.width for m in maps]} wide: '
            f'{error or type(error).__name__}'
        ) from error
