"""What a detector puts into its backbone besides: other convolutions, blocks of attention.

They are no part of an architecture, which is a classifier's: they are put into the pruned network,
at its widths, when it is built for a detector. mmdet's settings of its ResNets, by their names.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from rethink_det.errors import UserError, in_one_line
from rethink_det.registered import registered
from rethink_det.registry import MODELS

DCN, DCN_STAGES, PLUGINS = OF_RESNETS = ('dcn', 'stage_with_dcn', 'plugins')
"""Settings of mmdet's ResNets that a pruned one takes as well."""
SAC, SAC_STAGES, IMAGE = OF_DETECTORS = ('sac', 'stage_with_sac', 'output_img')
"""Likewise of those of DetectoRS (arXiv 2006.02334): switchable atrous convolutions, and the image
itself in front of the maps, for a recursive feature pyramid."""
GRAFTS = (*OF_RESNETS, *OF_DETECTORS)

GRAFTED = 'grafted'
"""Attribute of a backbone: names of the tensors that a classifier has no weights for."""


def graft(backbone: Any, settings: Mapping[str, Any]) -> None:
    """Put into the blocks of a ResNet what mmdet's own settings say, in place.

    Args:
        backbone: Of mmdet's ResNet family, with bottleneck blocks, at its final widths.
        settings: Of :data:`GRAFTS`, as of the class.

    Raises:
        UserError: It has no such blocks, or they are too narrow or not divisible.
    """
    if settings.get(IMAGE):
        backbone.output_img = True
        backbone.register_forward_hook(_with_image)
    if not any(settings.get(key) for key in (DCN, SAC, PLUGINS)):
        return
    before = set(backbone.state_dict())
    for number, name in enumerate(getattr(backbone, 'res_layers', ())):
        blocks = getattr(backbone, name)
        for place, block in blocks.named_children():
            try:
                _graft_block(block, number, settings)
            except Exception as error:  # layers of anyone, at widths they were not made for
                what = ' and '.join(key for key in (DCN, SAC, PLUGINS) if settings.get(key))
                raise UserError(
                    f'{what} cannot be put into {name}.{place} of the pruned backbone: '
                    f'{in_one_line(error) or type(error).__name__}'
                ) from error
    setattr(backbone, GRAFTED, frozenset(set(backbone.state_dict()) - before))


def _graft_block(block: Any, stage: int, settings: Mapping[str, Any]) -> None:
    for key, stages in ((DCN, DCN_STAGES), (SAC, SAC_STAGES)):
        wanted = settings.get(stages) or ()
        if settings.get(key) and stage < len(wanted) and wanted[stage]:
            _replace_second(block, settings[key])
            block.with_dcn = key == DCN
    if settings.get(PLUGINS):
        _plug_in(block, _of_stage(settings[PLUGINS], stage))


def _with_image(_: nn.Module, inputs: tuple, maps: Sequence) -> tuple:
    """What a backbone puts out, behind what was put in."""
    return (inputs[0], *maps)


def _replace_second(block: Any, layer: Mapping[str, Any]) -> None:
    """Make the second convolution of a bottleneck another one of the same shape."""
    settings = dict(layer)
    if settings.pop('fallback_on_stride', False):
        return  # mmdet's word for none
    kind: Any = registered(MODELS, settings.pop('type'), settings.pop('_scope_', None))
    old, groups = block.conv2, settings.get('deform_groups', 1)
    if old.in_channels % groups:
        raise ValueError(f'{old.in_channels} channels are not divisible by deform_groups={groups}')
    block.conv2 = kind(
        old.in_channels,
        old.out_channels,
        kernel_size=old.kernel_size,
        stride=old.stride,
        padding=old.padding,
        dilation=old.dilation,
        groups=old.groups,
        bias=False,
        **settings,
    )


def _plug_in(block: Any, plugins: Sequence[Mapping[str, Any]]) -> None:
    """Append layers to the three convolutions of a bottleneck."""
    if not plugins:
        return
    block.plugins, block.with_plugins = list(plugins), True
    for number in (1, 2, 3):
        after = f'after_conv{number}'
        own = [dict(one['cfg']) for one in plugins if one['position'] == after]
        width = getattr(block, f'conv{number}').out_channels
        setattr(block, f'{after}_plugins', own)
        setattr(block, f'{after}_plugin_names', block.make_block_plugins(width, own))


def _of_stage(plugins: Sequence[Mapping[str, Any]], number: int) -> list[Mapping[str, Any]]:
    """Those that are for a stage; for all if a plugin does not say for which."""
    return [one for one in plugins if one.get('stages') is None or one['stages'][number]]


def grafted(backbone: nn.Module) -> frozenset[str]:
    """Names of the tensors in a backbone that are of what was put into it."""
    return getattr(backbone, GRAFTED, frozenset())
