"""Blocks, neurons and groups whose scaling factor training drove to zero.

Paper: Data-Driven Sparse Structure Selection for Deep Neural Networks (Huang and Wang, arXiv
1707.01213), section 3: a factor scales the output of each structure, trained with an L1
penalty by accelerated proximal gradient (:class:`~rethink_det.training.StructureScaleHook`);
a structure whose factor is zero is removed. Factors that remain are folded into the weights.
Deviation: none in the method. The authors' networks (MXNet) are pre-activation ResNets; any
network with residual blocks will do. The shipped configs train by another recipe than theirs, see
``configs/_base_/schedule_sparse_structure.py``.
Expected: the layouts ``resnet41-sss``, ``resnet32-sss``, ``resnet26-sss`` of ResNet-50, and from
scratch the numbers that arXiv 1810.05270 publishes with its code: ``preact_resnet50_*`` in
``configs/_base_/published.py``.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import nn

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.blocks import last_layer, residual_blocks
from rethink_det.architecture.channel_group import ChannelGroup
from rethink_det.architecture.structure_scales import KINDS
from rethink_det.bounds import check_count
from rethink_det.errors import UserError
from rethink_det.pruning.pruner import Pruner
from rethink_det.pruning.ranking import never_fewer, places
from rethink_det.registry import PRUNERS


@PRUNERS.register_module()
class SparseStructurePruner(Pruner):
    """Remove the structures that put out nothing but zeros.

    Args:
        structures: Which kinds: ``'block'`` (the residual branch of a block; its shortcut
            stays), ``'neuron'`` (a channel inside a block), ``'group'`` (a group of a grouped
            convolution); one or several.
        min_channels: Fewest channels a layer keeps; reached with a warning.

    Raises:
        UserError: An unknown structure, or ``min_channels`` below 1.
    """

    def __init__(self, structures: str | Sequence[str] = 'block', min_channels: int = 1) -> None:
        named = [structures] if isinstance(structures, str) else structures
        listed = isinstance(named, (list, tuple)) and len(named)
        if not listed or not all(kind in KINDS for kind in named):
            raise UserError(
                f'SparseStructurePruner: structures must be of {", ".join(KINDS)}, got '
                f'{structures!r}.'
            )
        self.structures = list(named)
        self.min_channels = check_count('SparseStructurePruner: min_channels', min_channels)

    def beside_widths(self, architecture: PrunedArchitecture) -> str:
        """Blocks, or groups of a grouped convolution."""
        more = [f'removes {kind}s' for kind in self.structures if kind != 'neuron']
        return more[0] if more else ''

    def check(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> None:
        """Refuse a network that has none of the structures."""
        blocks = residual_blocks(surgeon.model) if 'block' in self.structures else ()
        if not blocks and not any(self._layers(surgeon)):
            raise UserError(
                f'SparseStructurePruner removes {" and ".join(f"{k}s" for k in self.structures)}, '
                'and the network has none that can go: take others as structures.'
            )

    def _layers(self, surgeon: Surgeon) -> Iterator[ChannelGroup]:
        """The layers whose neurons or groups can go, where these are asked for."""
        for name in surgeon.layers():
            group = surgeon.group(name)
            wanted = 'group' if group.run > 1 else 'neuron'
            free = group.prunable or (group.run > 1 and not group.obstacle)
            if wanted in self.structures and free:
                yield group

    def find(
        self, surgeon: Surgeon, architecture: PrunedArchitecture, data: Iterable | None
    ) -> Cut:
        """The structures at zero. Warns if there is none: such training left no zeros."""
        blocks = list(_dead_blocks(surgeon)) if 'block' in self.structures else []
        gone = tuple(f'{block}.' for block in blocks)
        channels = {}
        for group in self._layers(surgeon):
            if not (gone and group.root.startswith(gone)):
                kept = self._alive(surgeon, group.root, group.run)
                if len(kept) < group.width:
                    channels[group.root] = kept
        if not blocks and not channels:
            warnings.warn(
                f'No {" or ".join(self.structures)} is at zero, nothing is removed: train with '
                'rethink_det.StructureScaleHook, or with a larger weight.',
                stacklevel=2,
            )
        return Cut(channels=channels, blocks=blocks)

    def _alive(self, surgeon: Surgeon, name: str, run: int) -> tuple[int, ...]:
        """Channels of a layer that are not zero, in whole runs."""
        strength = _strength(surgeon, name).view(-1, run).sum(1)
        fewest, parts = -(-self.min_channels // run), 'groups' if run > 1 else 'channels'
        claim = f'To remove what is at zero would leave {name}'
        alive = never_fewer(strength > 0, strength, fewest, claim, parts)
        return places(alive.repeat_interleave(run))


def _dead_blocks(surgeon: Surgeon) -> Iterator[str]:
    for name, block in residual_blocks(surgeon.model).items():
        if not any(parameter.any() for parameter in last_layer(block).parameters()):
            yield name.removeprefix(surgeon.prefix)


def _strength(surgeon: Surgeon, name: str) -> torch.Tensor:
    """How far each channel is from zero, where its BatchNorm, or itself, puts it out."""
    layer = surgeon.layer(name)
    norm = next(
        (
            item.dep.target.module
            for item in surgeon.tied_group(name).items[1:]
            if isinstance(item.dep.target.module, nn.BatchNorm2d)
        ),
        layer,
    )
    tensors = [p.detach().flatten(1) if p.dim() > 1 else p[:, None] for p in norm.parameters()]
    return torch.cat(tensors, 1).abs().sum(1)
