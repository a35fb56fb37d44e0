"""What every pruner shares: score, select, architecture, cut."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.architecture.checkpoint import load_exactly
from rethink_det.architecture.network import Network
from rethink_det.errors import UserError
from rethink_det.pruning.ratios import (
    Ratios,
    by_pattern,
    targets_from_architecture,
    targets_from_ratios,
)
from rethink_det.registry import PRUNERS


@dataclass(frozen=True)
class PruneResult:
    """What pruning gives.

    Attributes:
        architecture: Base network and kept indices of every layer.
        state_dict: Inherited weights, names ``backbone.*`` and ``head.*``.
    """

    architecture: PrunedArchitecture
    state_dict: dict[str, Tensor]


class Pruner(ABC):
    """Base of all pruners. A predefined one supplies :meth:`score` alone.

    Args:
        ratios: Share of channels to remove in [0, 1), one for all prunable layers or by
            layer name pattern. Prunable are the convolutions whose output is not tied to
            another convolution's by a residual addition.
        target: Instead of ratios: an architecture whose widths to take.
        skip: Name patterns of layers left whole.
        min_channels: Fewest channels a layer keeps.

    Raises:
        UserError: Neither or both of ``ratios`` and ``target`` given.
    """

    def __init__(
        self,
        ratios: Ratios | None = None,
        target: str | Mapping | PrunedArchitecture | None = None,
        skip: Sequence[str] = (),
        min_channels: int = 1,
    ) -> None:
        if (ratios is None) == (target is None):
            raise UserError(f'{type(self).__name__} needs either ratios or a target architecture.')
        self.ratios = None if ratios is None else by_pattern(ratios)
        self.skip, self.min_channels = [skip] if isinstance(skip, str) else skip, min_channels
        self.target = None if target is None else PrunedArchitecture.load(target)

    @abstractmethod
    def score(self, layer: str, conv: nn.Conv2d) -> Tensor:
        """Importance of each output channel of ``conv``, shape ``(out_channels,)``."""

    def prune(
        self, network: Network, architecture: PrunedArchitecture, data: Iterable | None = None
    ) -> PruneResult:
        """Choose channels by score and cut them.

        Args:
            network: Trained network; cut in place.
            architecture: What ``network`` is now.
            data: Batches of images, for methods that look at data.
        """
        surgeon = Surgeon(network, architecture.input_shape, prefix='backbone.')
        keep = {
            layer: self._select(layer, surgeon.layer(layer), count)
            for layer, count in self.targets(surgeon, architecture).items()
        }
        surgeon.cut(keep)
        state = {name: tensor.detach() for name, tensor in network.state_dict().items()}
        return PruneResult(narrowed(architecture, keep), state)

    def targets(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> dict[str, int]:
        """How many channels each layer keeps, for every layer that loses some."""
        if self.target is not None:
            return targets_from_architecture(architecture, self.target)
        groups = [surgeon.group(layer) for layer in surgeon.layers()]
        widths = {g.root: g.width for g in groups if not g.coupled and not g.obstacle}
        return targets_from_ratios(widths, self.ratios, self.skip, self.min_channels)

    def _select(self, layer: str, conv: nn.Conv2d, count: int) -> tuple[int, ...]:
        scores = self.score(layer, conv)
        if not torch.isfinite(scores).all():
            raise UserError(f'Layer {layer} has weights that are not finite numbers.')
        return top(scores, count)


def top(scores: Tensor, count: int) -> tuple[int, ...]:
    """Indices of the ``count`` largest scores, sorted; of equal ones the first."""
    order = torch.argsort(scores, descending=True, stable=True)
    return tuple(sorted(order[:count].tolist()))


def narrowed(
    architecture: PrunedArchitecture, keep: Mapping[str, Sequence[int]]
) -> PrunedArchitecture:
    """``architecture`` after a further cut; ``keep`` indexes the channels it has now."""
    channels = dict(architecture.channels)
    for layer, kept in keep.items():
        before = channels.get(layer, tuple(range(architecture.widths[layer])))
        channels[layer] = len(kept) if isinstance(before, int) else tuple(before[i] for i in kept)
    order = {layer: place for place, layer in enumerate(architecture.widths)}
    channels = dict(sorted(channels.items(), key=lambda item: order[item[0]]))
    return replace(architecture, channels=channels, name='', source='')


def build_pruner(config: Mapping) -> Pruner:
    """Build a pruner from ``dict(type='L1NormPruner', ratios=...)``.

    Raises:
        UserError: Unknown type (lists the known ones) or wrong arguments.
    """
    kind = str(config.get('type', '')).removeprefix('rethink_det.')
    if kind not in PRUNERS.module_dict:
        known = ', '.join(sorted(PRUNERS.module_dict))
        raise UserError(f'Unknown pruner {kind!r}; known are {known}.')
    try:
        return PRUNERS.build({**config, 'type': kind})
    except TypeError as error:
        raise UserError(f'{kind}: {error}') from error


def prune(
    model: nn.Module,
    pruner: Mapping | Pruner,
    architecture: PrunedArchitecture | None = None,
    data: Iterable | None = None,
) -> PruneResult:
    """Prune a trained classifier; the model itself is left as it is.

    Args:
        model: A classifier with ``backbone`` and ``head``.
        pruner: A pruner or its config, ``dict(type='L1NormPruner', ratios=0.3)``.
        architecture: What the model is; default: its attribute ``architecture``.
        data: Batches of images, for methods that look at data.

    Raises:
        UserError: Unknown pruner, impossible ratio, or weights of another architecture.
    """
    architecture = architecture or getattr(model, 'architecture', None)
    if architecture is None:
        raise UserError(f'{type(model).__name__} does not say what it is: pass its architecture.')
    network = architecture.build_network()
    load_exactly(network, model.state_dict())
    pruner = pruner if isinstance(pruner, Pruner) else build_pruner(pruner)
    return pruner.prune(network, architecture, data)
