"""``type='rethink_det.PrunedBackbone'``: an architecture as the backbone of any model."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from torch import nn

from rethink_det.architecture import validation
from rethink_det.architecture.pruned_architecture import PrunedArchitecture
from rethink_det.errors import UserError
from rethink_det.registered import by_name, check_from_file, is_type
from rethink_det.registry import MODELS

SYNC = 'SyncBN'
"""BatchNorm whose statistics are those of all processes."""


@MODELS.register_module(name='PrunedBackbone')
def pruned_backbone(
    architecture: PrunedArchitecture | Mapping | str | PathLike, **settings: Any
) -> nn.Module:
    """Build the backbone that an architecture describes, with fresh weights.

    It is the base class itself (an ``mmdet.ResNet``, say) with narrower layers, not a
    wrapper: same parameter names, same speed, and the shape is final before the optimizer
    and DDP see it.

    Args:
        architecture: Published name, JSON file, checkpoint, dict, or the value itself.
        **settings: Training settings of the base class: ``frozen_stages``, ``norm_eval``,
            ``out_indices``, ...; and of any ResNet ``geometry``, other strides and dilations
            of its stages, ``dict(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))``.

    Raises:
        UserError: If the architecture cannot be loaded or built.
    """
    settings.pop('init_cfg', None)  # weights come from the transfer, never from the shape
    return PrunedArchitecture.load(architecture).build(**settings)


def configured_architecture(
    backbone: Mapping, head: Mapping | None, input_shape: Sequence[int] | None
) -> PrunedArchitecture:
    """What the backbone of a config is: the architecture that it names, or an unpruned one.

    Args:
        backbone: Its config.
        head: Registry config of the head, of an unpruned one.
        input_shape: ``(channels, height, width)`` of an image, of an unpruned one.

    Raises:
        UserError: The architecture cannot be loaded, the config is none of a backbone, or that
            of an unpruned one without head or shape, or with what no file can name, so that a
            checkpoint of it could not be read again.
    """
    named = named_architecture(backbone)
    if named is not None:
        return named
    own = _of_one_process(by_name(MODELS, backbone))
    if head is None or input_shape is None:
        kind = own.get('type')
        raise UserError(f'A network with {kind} needs a head and an input_shape, a pruned one not.')
    shape = validation.input_shape(input_shape)
    architecture = PrunedArchitecture(own, by_name(MODELS, head), shape)
    for part in ('backbone', 'head'):
        check_from_file(getattr(architecture, part), part)
    return architecture


def _of_one_process(backbone: Mapping) -> Mapping:
    """A backbone's config with BatchNorm in the place of SyncBN, the same layer over all GPUs.

    A detector that has SyncBN gets it back when the backbone is put into it.
    """
    norm = backbone.get('norm_cfg') or {}
    if not isinstance(norm, Mapping) or norm.get('type') != SYNC:
        return backbone
    return {**backbone, 'norm_cfg': {**norm, 'type': 'BN'}}


def named_architecture(backbone: Mapping) -> PrunedArchitecture | None:
    """The architecture that the config of a ``PrunedBackbone`` names; ``None`` of any other.

    Raises:
        UserError: There is none, or it cannot be loaded.
    """
    if not is_type(backbone, 'rethink_det.PrunedBackbone'):
        return None
    if backbone.get('architecture') is None:
        raise UserError('A PrunedBackbone needs its architecture: a name, a file or a dict.')
    return PrunedArchitecture.load(backbone['architecture'])
