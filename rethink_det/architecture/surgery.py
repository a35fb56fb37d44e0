"""Surgery: removing channels from a network, on Torch-Pruning's dependency graph.

A :class:`Surgeon` traces a model once. Each convolution's output channels form a *group*
with everything that must change along: its BatchNorm, the layers that read it and, across
residual additions, other convolutions. Two operations act on groups: :meth:`Surgeon.cut`
removes channels, :meth:`Surgeon.zero` sets them to zero and leaves the shape alone. The
first computes exactly what the second computes; the test suite relies on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch_pruning as tp
from torch import nn

from rethink_det.errors import UserError


@dataclass(frozen=True)
class ChannelGroup:
    """The convolutions whose output channels live and die together.

    Attributes:
        root: Name of the convolution asked for.
        members: Names of all convolutions of the group, ``root`` included.
        width: Number of output channels of ``root``.
        obstacle: Why the group cannot be cut, or ``None`` if it can.
    """

    root: str
    members: tuple[str, ...]
    width: int
    obstacle: str | None

    @property
    def coupled(self) -> bool:
        """Whether other convolutions are tied to ``root`` (a residual stream)."""
        return len(self.members) > 1


@contextmanager
def _traceable(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, all gradients on, no checkpointing; put back afterwards.

    Torch-Pruning follows autograd: a frozen stage leaves no trace. Evaluation mode keeps
    the tracing input out of the running statistics.
    """
    training = [(m, m.training) for m in model.modules()]
    frozen = [n for n, p in model.named_parameters() if not p.requires_grad]
    checkpointed = [m for m in model.modules() if getattr(m, 'with_cp', False)]
    # Module by module, and deaf to Torch-Pruning's own ``eval()``: both would call an mmdet
    # backbone's ``train``, which freezes its stages again.
    for module, _ in training:
        module.training = False
    model.eval = lambda: model
    for module in checkpointed:
        module.with_cp = False
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        del model.eval
        for module, mode in training:
            module.training = mode
        for module in checkpointed:
            module.with_cp = True
        parameters = dict(model.named_parameters())
        for name in frozen:
            parameters[name].requires_grad_(False)


class Surgeon:
    """One traced model, ready to be cut or zeroed.

    Args:
        model: A network that maps an image batch to a tensor or to feature maps.
        input_shape: ``(channels, height, width)`` of one image.
        prefix: Prepended to every layer name, for a model that wraps the one whose
            layers are named (``'backbone.'``).

    Raises:
        UserError: If the graph of the model cannot be traced.
    """

    def __init__(self, model: nn.Module, input_shape: Sequence[int], prefix: str = '') -> None:
        self.model = model
        self.prefix = prefix
        device = next(model.parameters()).device
        with _traceable(model), torch.enable_grad():
            try:
                self._graph = tp.DependencyGraph().build_dependency(
                    model, example_inputs=torch.randn(1, *input_shape, device=device)
                )
            except Exception as error:
                raise UserError(
                    f'The graph of {type(model).__name__} cannot be traced with an input of '
                    f'{tuple(input_shape)}: {error}'
                ) from error
        self._names = {m: n for n, m in model.named_modules()}

    def layers(self) -> list[str]:
        """Names of all convolutions, in the model's own order."""
        return [
            name.removeprefix(self.prefix)
            for module, name in self._names.items()
            if isinstance(module, nn.Conv2d) and name.startswith(self.prefix)
        ]

    def layer(self, name: str) -> nn.Conv2d:
        """The convolution of that name; raises :class:`UserError` if there is none."""
        if name not in self.layers():
            raise UserError(
                f'{type(self.model).__name__} has no convolution {name!r}; '
                f'it has: {", ".join(self.layers())}'
            )
        return self.model.get_submodule(self.prefix + name)

    def group(self, name: str) -> ChannelGroup:
        """The channel group of convolution ``name``, and whether it can be cut."""
        conv = self.layer(name)
        items = self._group(conv, range(conv.out_channels)).items
        producers = {
            item.dep.target.module: len(item.idxs)
            for item in items
            if isinstance(item.dep.target.module, nn.Conv2d)
            and self._graph.is_out_channel_pruning_fn(item.dep.handler)
        }
        members = tuple(self._names[m].removeprefix(self.prefix) for m in producers)
        return ChannelGroup(name, members, conv.out_channels, self._obstacle(conv, producers))

    def cut(self, keep: Mapping[str, Sequence[int]]) -> None:
        """Remove every output channel that is not in ``keep``, in place.

        Args:
            keep: Convolution name to the sorted indices of the channels it keeps.
                Of a coupled group, one member is enough.

        Raises:
            UserError: Unknown layer, index out of range, an empty layer, a group that
                cannot be cut, or coupled layers that keep different channels.
        """
        with _traceable(self.model):
            for conv, removed in self._removals(keep):
                self._group(conv, removed).prune()

    @torch.no_grad()
    def zero(self, keep: Mapping[str, Sequence[int]]) -> None:
        """Set every output channel that is not in ``keep`` to zero, in place.

        The channel is silenced where it is made: filter, bias, and the scale and shift of
        its BatchNorm. Layers that read it see zeros. Arguments and errors as :meth:`cut`.
        """
        for conv, removed in self._removals(keep):
            for item in self._group(conv, removed).items:
                made = self._graph.is_out_channel_pruning_fn(item.dep.handler)
                if made and not isinstance(item.dep.target.module, nn.Linear):
                    for tensor in item.dep.target.module.parameters(recurse=False):
                        tensor[list(item.idxs)] = 0

    def _group(self, conv: nn.Conv2d, channels: Sequence[int]) -> tp.Group:
        return self._graph.get_pruning_group(conv, tp.prune_conv_out_channels, list(channels))

    def _obstacle(self, conv: nn.Conv2d, producers: Mapping[nn.Conv2d, int]) -> str | None:
        for other, touched in producers.items():
            if other.groups > 1:
                return f'{self._names[other]} is a grouped convolution'
            if other.out_channels != conv.out_channels or touched != conv.out_channels:
                return (
                    f'it is added to {self._names[other]}, of another width, through a '
                    'parameter-free shortcut'
                )
        return None

    def _removals(self, keep: Mapping[str, Sequence[int]]) -> list[tuple[nn.Conv2d, list[int]]]:
        """One ``(convolution, removed channels)`` per group; everything is checked first."""
        removals, settled = [], {}
        for name, kept in keep.items():
            conv, kept = self.layer(name), tuple(kept)
            _check_kept(name, kept, conv.out_channels)
            if len(kept) == conv.out_channels:
                removed = []
            else:
                removed = sorted(set(range(conv.out_channels)) - set(kept))
            group = self.group(name)
            if removed and group.obstacle:
                raise UserError(f'Layer {name} cannot be pruned: {group.obstacle}.')
            clash = next((m for m in group.members if settled.get(m, kept) != kept), None)
            if clash:
                raise UserError(
                    f'Layers {clash} and {name} are added to one another and must keep the '
                    f'same channels.'
                )
            if removed and not any(m in settled for m in group.members):
                removals.append((conv, removed))
            settled[name] = kept
        return removals


def _check_kept(name: str, kept: tuple[int, ...], width: int) -> None:
    if not kept:
        raise UserError(f'Layer {name} would keep no channel; at least 1 must remain.')
    if list(kept) != sorted(set(kept)) or kept[0] < 0 or kept[-1] >= width:
        raise UserError(
            f'Layer {name} has {width} channels; its kept indices must be sorted, different '
            f'and within 0..{width - 1}.'
        )


def fresh_weights(model: nn.Module) -> None:
    """Draw new weights for the shapes the model has *now*, in place.

    First every layer's own default, then the network's own rule if it has one. Done after
    the cut: a slice of a big network's random weights has the big network's variance.
    """
    for module in model.modules():
        if hasattr(module, 'reset_parameters'):
            module.reset_parameters()
    if hasattr(model, 'init_weights'):
        _quiet_init_weights(model)


def _quiet_init_weights(model: nn.Module) -> None:
    """MMEngine's ``init_weights``, repeatable and without a log line per parameter."""
    for module in model.modules():
        if hasattr(module, '_is_init'):
            module._is_init = False
    if hasattr(model, '_dump_init_info'):
        model._dump_init_info = lambda: None
    try:
        model.init_weights()
    finally:
        model.__dict__.pop('_dump_init_info', None)
    # A runner initialises once more, under its own seed.
    for module in model.modules():
        if hasattr(module, '_is_init'):
            module._is_init = False
