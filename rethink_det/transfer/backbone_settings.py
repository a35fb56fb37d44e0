"""What a detector's config says about its backbone that another backbone can take over."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.backbone import named_architecture
from rethink_det.architecture.building import unpruned
from rethink_det.architecture.grafting import GRAFTS, OF_RESNETS
from rethink_det.architecture.stage_geometry import (
    CONTRACT,
    GEOMETRY,
    GRIDS,
    OF_GEOMETRY,
    stages_of,
)
from rethink_det.arms import Arm
from rethink_det.errors import UserError
from rethink_det.files import plain
from rethink_det.registered import NETWORKS, backbone_class, registered
from rethink_det.registry import MODELS
from rethink_det.transfer.adapted import Change, difference
from rethink_det.transfer.backbone_arguments import backbone_arguments
from rethink_det.transfer.feature_maps import OF_EACH_STAGE

OF_THE_RUN = ('frozen_stages', 'norm_eval', 'with_cp', 'out_indices')
OF_THE_STAGES = ('num_stages', *OF_EACH_STAGE)
"""What detectors end a backbone early by (C4), or keep its last stage fine (DC5). Another family
may mean something else by them."""

TRAINED_WHOLE = {'frozen_stages': -1, 'norm_eval': False}
"""What a backbone is told that has no statistics of its own shape.

Random weights must not be frozen, nor BatchNorm kept at statistics of nothing: all of it is
trained (``norm_cfg.requires_grad`` as well). The same goes for a network that was cut and not
trained since: its statistics are those of the uncut one, and a frozen stage could never make up
for what it lost. A GPU's few images make poor statistics, so with several GPUs take ``sync_bn``
(:class:`~rethink_det.transfer.settings.TransferSettings`). Where the weights are those
of a trained classifier, the backbone keeps what the detector's config says."""

_BOTTLENECKS = (50, 101, 152)
"""Depths of ResNets whose blocks have three convolutions."""

_AS_IT_IS = 'as the architecture has it'

_DEEP = 'stem'
"""What ResNets of three small first convolutions call these."""

OWN_LAYERS = {
    'dcn': 'deformable convolutions',
    'plugins': 'plugins',
    'sac': 'switchable atrous convolutions',
    'output_img': 'the image for a recursive feature pyramid',
    'num_branch': 'three branches (TridentNet)',
}
"""Settings by which a detector puts something into its backbone that no classifier has."""


def check_replaceable(old: Mapping, shape: PrunedArchitecture) -> None:
    """Refuse to replace a backbone that is part of what the detector is.

    Raises:
        UserError: Names the setting.
    """
    taken = GRAFTS if _can_be_grafted(old, shape) else ()
    for key, what in OWN_LAYERS.items():
        if key not in taken and old.get(key) and plain(old[key]) != plain(shape.backbone.get(key)):
            raise UserError(
                f'model.backbone has {what} ({key}), the architecture has not: a backbone trained '
                f'as a classifier cannot take its place. Remove model.backbone.{key}, or take '
                'another config.'
            )


def _can_be_grafted(old: Mapping, shape: PrunedArchitecture) -> bool:
    """Whether the new backbone takes other convolutions and plugins: a bottleneck ResNet."""
    known = backbone_arguments(shape.backbone['type'])
    takes = all(key in known for key in OF_RESNETS)
    deep = shape.backbone.get('depth', known.get('depth')) in _BOTTLENECKS
    return takes and deep and _related(old, shape) and not shape.masks


def runtime_settings(
    old: Mapping, shape: PrunedArchitecture, arm: Arm
) -> tuple[dict[str, Any], list[Change]]:
    """What the new backbone is told besides its architecture.

    Frozen stages and BatchNorm follow the arm: where there are no statistics to keep, nothing is
    frozen and every BatchNorm is trained.

    Args:
        old: Config of the detector's own backbone.
        shape: Architecture of the new one, whose weights decide its ``style`` and the kind of
            its normalisation, whatever ``old`` says.
        arm: Which transfer arm.

    Returns:
        Keyword arguments that the new backbone's class knows; never ``init_cfg``, for weights
        come from the transfer. And what the detector's config asked for and does not get.
    """
    known = backbone_arguments(shape.backbone['type'])
    geometry = _geometry(old, shape)
    own = OF_THE_STAGES[:1] if geometry else OF_THE_STAGES
    keys = (*OF_THE_RUN, *own) if _related(old, shape) else OF_THE_RUN
    settings = {key: old[key] for key in keys if key in old}
    if not arm.keeps_statistics:
        settings |= {**TRAINED_WHOLE, 'frozen_stages': nothing_frozen(known)}
    changes: list[Change] = []
    if 'norm_cfg' in old or not arm.keeps_statistics:
        settings['norm_cfg'], changes = _norm(old.get('norm_cfg') or {}, shape, known, arm)
    for key, harmless in TRAINED_WHOLE.items():
        if key not in known and settings.get(key, harmless) != harmless:
            lacks = f'for {shape.backbone["type"]} has no such setting'
            changes.append(Change(f'model.backbone.{key}', settings[key], None, lacks))
    grafts = GRAFTS if _can_be_grafted(old, shape) else ()
    settings |= {key: plain(old[key]) for key in grafts if old.get(key)}
    if 'style' in known and 'style' in old:
        style = shape.backbone.get('style', 'pytorch')
        changes += difference('model.backbone.style', old['style'], style, _AS_IT_IS)
    if _related(old, shape):
        plain_conv = shape.backbone.get('conv_cfg')
        changes += difference('model.backbone.conv_cfg', old.get('conv_cfg'), plain_conv, _AS_IT_IS)
    told = {k: value for k, value in settings.items() if k in known or k in grafts}
    return {**told, **({GEOMETRY: geometry} if geometry else {})}, changes


def _geometry(old: Mapping, shape: PrunedArchitecture) -> dict[str, Any]:
    """Strides and dilations of the old backbone that the new one's class cannot be told."""
    if not _has_stages(old):
        return {}
    said = {key: plain(old[key]) for key in OF_GEOMETRY if old.get(key)}
    told = _related(old, shape) and not said.keys() & {CONTRACT, GRIDS}
    stages = stages_of(unpruned(shape).backbone) if said and not told else []
    each = [len(said[key]) for key in OF_EACH_STAGE if key in said]
    return said if stages and each and set(each) == {len(stages)} else {}


def stem_change(old: nn.Module, shape: PrunedArchitecture) -> list[Change]:
    """That the first layers are another ResNet's: three small convolutions, or the large one.

    Args:
        old: The backbone before.
        shape: Architecture of the new one.
    """
    new = unpruned(shape).backbone
    if not (stages_of(old) and stages_of(new)):
        return []
    before, after = (hasattr(one, _DEEP) for one in (old, new))
    return difference('model.backbone.deep_stem', before, after, _AS_IT_IS)


def nothing_frozen(known: Mapping[str, Any]) -> int:
    """What ``frozen_stages`` is where no stage is frozen: a class's default, mostly -1.

    Args:
        known: The arguments of the backbone's class, and their defaults.
    """
    default = known.get('frozen_stages')
    return default if isinstance(default, int) else TRAINED_WHOLE['frozen_stages']


def _has_stages(old: Mapping) -> bool:
    """Whether strides and dilations are those of a ResNet's stages; others mean more by them."""
    pruned = named_architecture(old)
    kind = backbone_class((pruned.backbone if pruned else old)['type'])
    return hasattr(kind, 'make_res_layer')


def _related(old: Mapping, shape: PrunedArchitecture) -> bool:
    """Whether the two classes are, or have in common, a kind of backbone, as all ResNets do."""
    pruned = named_architecture(old)
    base = pruned.backbone if pruned else old
    kinds = backbone_class(base['type']), backbone_class(shape.backbone['type'])
    one, other = (kind if inspect.isclass(kind) else object for kind in kinds)
    if object not in (one, other) and (issubclass(one, other) or issubclass(other, one)):
        return True
    return any(kind in other.__mro__ and _is_backbone(kind) for kind in one.__mro__)


def _is_backbone(kind: type) -> bool:
    """Whether a class can be had by its name, and is no mere base of such."""
    scope = kind.__module__.partition('.')[0]
    return scope in NETWORKS and registered(MODELS, f'{scope}.{kind.__name__}') is kind


def _norm(
    old: Mapping, shape: PrunedArchitecture, known: Mapping[str, Any], arm: Arm
) -> tuple[dict[str, Any], list[Change]]:
    """The architecture's normalisation, trained or not as the arm and the detector say."""
    default = known.get('norm_cfg')
    usual = dict(default) if isinstance(default, Mapping) else {'type': 'BN'}
    own = plain(shape.backbone.get('norm_cfg')) or usual
    kind = old.get('type', own['type'])
    if (kind, own['type']) == ('SyncBN', 'BN'):  # the same layer, computed over all GPUs
        own['type'] = 'SyncBN'
    changes = difference('model.backbone.norm_cfg.type', kind, own['type'], _AS_IT_IS)
    trained = old.get('requires_grad', own.get('requires_grad', True))
    return {**own, 'requires_grad': not arm.keeps_statistics or trained}, changes
