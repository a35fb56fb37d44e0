"""How coarse the stages of a ResNet are: strides, and the dilation that makes up for one left out.

They change no weight, so a classifier's backbone can have those of a segmenter: a stage that does
not halve the map any more, and whose convolutions reach as far by dilation.

Source: Rethinking Atrous Convolution for Semantic Image Segmentation (arXiv 1706.05587), sections
3.1 and 3.2; the settings' names and their meaning are mmsegmentation's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import nn

from rethink_det.errors import UserError

GEOMETRY = 'geometry'
"""The setting of a pruned backbone."""
STRIDES, DILATIONS, CONTRACT, GRIDS = OF_GEOMETRY = (
    'strides', 'dilations', 'contract_dilation', 'multi_grid',
)  # fmt: skip
"""What it may say, by mmsegmentation's names for its own ResNets."""
_STAGE, _DOWN = 'layer', 'downsample'


def stages_of(backbone: nn.Module) -> list[nn.Module]:
    """The stages of a ResNet, ``layer1`` and on; none of another network."""
    found: list[nn.Module] = []
    while isinstance(stage := getattr(backbone, f'{_STAGE}{len(found) + 1}', None), nn.Module):
        found.append(stage)
    return found


def set_geometry(backbone: nn.Module, settings: Mapping[str, Any]) -> None:
    """Give the stages of a ResNet other strides and dilations, in place.

    Args:
        backbone: Any ResNet with ``layer1``, ``layer2``, ...
        settings: ``strides`` and ``dilations``, one for each stage; ``contract_dilation``: the
            first block of a dilated stage has half of it; ``multi_grid``: dilations of the blocks
            of the last stage, in place of its own.

    Raises:
        UserError: An unknown setting, none for one of its stages, or a network that cannot have
            it.
    """
    unknown = settings.keys() - set(OF_GEOMETRY)
    if unknown:
        raise UserError(f'{GEOMETRY} has {", ".join(OF_GEOMETRY)}, not {", ".join(unknown)}.')
    stages = stages_of(backbone)
    if not stages:
        raise UserError(f'A {type(backbone).__name__} has no stages that {GEOMETRY} is for.')
    strides, dilations = (settings.get(key) or () for key in (STRIDES, DILATIONS))
    for number, stage in enumerate(stages):
        if number >= min(len(strides or dilations), len(dilations or strides)):
            raise UserError(f'{GEOMETRY} says nothing of the stage {number + 1} of {len(stages)}.')
        last = number == len(stages) - 1
        grid = settings.get(GRIDS) if last else None
        dilation = dilations[number] if dilations else 1
        blocks = list(stage.children())
        own = _dilations(len(blocks), dilation, bool(settings.get(CONTRACT)), grid)
        for block, dilated in zip(blocks, own, strict=True):
            _dilate(block, dilated)
        if strides and blocks:
            _stride(blocks[0], strides[number], f'{_STAGE}{number + 1}')


def _dilations(
    blocks: int, dilation: int, contracted: bool, grid: Sequence[int] | None
) -> list[int]:
    if grid is not None:
        if len(grid) < blocks:
            raise UserError(f'{GEOMETRY}.{GRIDS} has {len(grid)} of {blocks} blocks.')
        return list(grid[:blocks])
    first = dilation // 2 if contracted and dilation > 1 else dilation
    return [first] + [dilation] * (blocks - 1) if blocks else []


def _own_convolutions(block: nn.Module) -> Iterator[nn.Conv2d]:
    """Those of the residual branch, in order."""
    for name, module in block.named_modules():
        if isinstance(module, nn.Conv2d) and not name.startswith(_DOWN):
            yield module


def _dilate(block: nn.Module, dilation: int) -> None:
    """Of a block's first convolution that looks around, which is the one that ResNets dilate."""
    wide = next((one for one in _own_convolutions(block) if one.kernel_size[0] > 1), None)
    if wide is None:  # its branch was removed
        return
    wide.dilation = (dilation, dilation)
    wide.padding = tuple(dilation * (side // 2) for side in wide.kernel_size)


def _stride(block: nn.Module, stride: int, place: str) -> None:
    """Of the first block of a stage, by whichever convolutions have one."""
    down: Any = getattr(block, _DOWN, None)
    own = [*_own_convolutions(block)]
    strided: list[Any] = [one for one in own if one.stride != (1, 1)]
    if not strided:
        strided = [one for one in own if one.kernel_size[0] > 1][:1]
    pools = [m for m in down.modules() if isinstance(m, nn.AvgPool2d)] if down is not None else []
    shortcut = [m for m in down.modules() if isinstance(m, nn.Conv2d)] if down is not None else []
    if stride != 1 and not (shortcut and strided):
        raise UserError(f'{place} has no shortcut that could have the stride {stride}.')
    for module in strided:
        module.stride = (stride, stride)
    for module in shortcut:
        module.stride = (1, 1) if pools else (stride, stride)
    for pool in pools:
        pool.kernel_size = pool.stride = stride
