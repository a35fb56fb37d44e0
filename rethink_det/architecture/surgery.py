"""Surgery: removing channels from a network, on Torch-Pruning's dependency graph.

A :class:`Surgeon` traces a model once, when it is first asked. Each convolution's output channels
form a *group* with everything that must change along: its BatchNorm, the layers that read it and,
across residual additions, other convolutions. Two operations act on groups: :meth:`Surgeon.cut`
removes channels, :meth:`Surgeon.zero` sets them to zero and leaves the shape alone. The
first computes exactly what the second computes; the test suite relies on it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from math import lcm
from typing import Any, TypeGuard

import torch
import torch_pruning as tp
from torch import Tensor, nn

from rethink_det.architecture.channel_group import ChannelGroup, Consumer
from rethink_det.architecture.channel_indices import check_indices, other_indices
from rethink_det.architecture.channel_trace import ChannelTrace
from rethink_det.architecture.coupling import Coupling
from rethink_det.architecture.input_selection import SELECTING
from rethink_det.architecture.network import HEAD, Layer, Network, all_features, named_layers
from rethink_det.architecture.splits import mend_splits
from rethink_det.architecture.tracing import one_image_will_do, place_in, traceable
from rethink_det.errors import UserError


class Surgeon:
    """One traced model, ready to be cut or zeroed.

    Args:
        model: A network that maps an image batch to a tensor or to feature maps.
        input_shape: ``(channels, height, width)`` of one image.
        prefix: Prepended to every layer name, for a model that wraps the one whose
            layers are named (``'backbone.'``).
    """

    def __init__(
        self,
        model: nn.Module,
        input_shape: Sequence[int],
        prefix: str = '',
    ) -> None:
        self.model = model
        self.prefix = prefix
        self.input_shape = tuple(input_shape)
        self._names = {m: n for n, m in model.named_modules()}
        self._names |= {layer: name for name, layer in named_layers(model)}
        self._modules = {self.name_of(m): m for m in self._names}
        units = self.units()
        self._producers = {
            self.name_of(m): m
            for m, full in self._names.items()
            if isinstance(m, Layer) and (full.startswith(prefix) or full in units)
        }

    @cached_property
    def graph(self) -> tp.DependencyGraph:
        """Torch-Pruning's graph of the model, traced when it is first asked for.

        Raises:
            UserError: It cannot be traced.
        """
        device = next(self.model.parameters()).device
        with _looked_at(self.model), place_in(self.model) as place:
            try:
                graph = tp.DependencyGraph().build_dependency(
                    self.model,
                    example_inputs=torch.randn(1, *self.input_shape, device=device),
                    output_transform=_apart,
                )
            except Exception as error:
                where = f' at module {place[-1]!r}' if place else ''
                raise UserError(
                    f'The graph of {type(self.model).__name__} cannot be traced with an input of '
                    f'{self.input_shape}{where}: {error}'
                ) from error
        mend_splits(graph)
        return graph

    @cached_property
    def trace(self) -> ChannelTrace:
        """All channels of the model, followed when it is first asked for.

        Raises:
            UserError: The model cannot run.
        """
        whole = isinstance(self.model, Network)
        return ChannelTrace(self.model, self.input_shape, _every_map if whole else None)

    @cached_property
    def coupling(self) -> Coupling:
        """What of the model's layers is tied to what; errors as of :attr:`trace`."""
        producing = set(self._producers.values())
        return Coupling(
            self.trace,
            {name: self.path_of(layer) for name, layer in self._producers.items()},
            [path for path, layer in self.named_layers() if layer not in producing],
        )

    def name_of(self, module: nn.Module) -> str:
        """The name that architectures know a module of the model by."""
        return self._names[module].removeprefix(self.prefix)

    def path_of(self, module: nn.Module) -> str:
        """The name of a module in the model."""
        return self._names[module]

    def module(self, name: str) -> nn.Module:
        """Inverse of :meth:`name_of`."""
        return self._modules[name]

    def has(self, module: object) -> bool:
        """Whether something is a module of the model."""
        return isinstance(module, nn.Module) and module in self._names

    def owns(self, module: nn.Module) -> bool:
        """Whether a module is of the backbone or the head, and not of a neck that reads them."""
        return self._names[module].startswith((self.prefix, HEAD))

    def convolutions(self) -> dict[str, nn.Conv2d]:
        """All convolutions by name, in the model's own order."""
        return {
            self.name_of(module): module
            for module, name in self._names.items()
            if isinstance(module, nn.Conv2d) and name.startswith(self.prefix)
        }

    def layers(self) -> list[str]:
        """Names of all convolutions, in the model's own order."""
        return list(self.convolutions())

    def units(self) -> list[str]:
        """Names of the hidden linear layers of the head: all but the last, the class scores."""
        names = [n for n, m in self._modules.items() if _is_unit(n, m)]
        return names[:-1]

    def producers(self) -> list[str]:
        """Names of all layers of coupled groups: the above and the backbone's linear layers."""
        return list(self._producers)

    def producing(self) -> Mapping[str, Layer]:
        """Those layers, by name."""
        return self._producers

    def named_layers(self) -> Iterator[tuple[str, Layer]]:
        """All layers by their names in the model."""
        for module, path in self._names.items():
            if isinstance(module, Layer):
                yield path, module

    def producer(self, name: str) -> Layer:
        """The layer of that name of :meth:`producers`; raises :class:`UserError` if none."""
        if name not in self._producers:
            raise UserError(
                f'{type(self.model).__name__} has no layer {name!r}; '
                f'it has: {", ".join(self._producers)}'
            )
        return self._producers[name]

    def layer(self, name: str) -> Layer:
        """The prunable layer of that name; raises :class:`UserError` if there is none."""
        module = self._modules.get(name)
        if isinstance(module, Layer) and (isinstance(module, nn.Conv2d) or name in self.units()):
            return module
        raise UserError(
            f'{type(self.model).__name__} has no convolution {name!r}; '
            f'it has: {", ".join([*self.layers(), *self.units()])}'
        )

    def group(self, name: str) -> ChannelGroup:
        """The channel group of layer ``name``, and whether it can be cut."""
        layer = self.layer(name)
        if layer not in self.graph.module2node:
            unseen = 'no gradient leads from the output to it (it is unused, or cut off by detach)'
            return ChannelGroup(name, (name,), width_of(layer), unseen)
        items = self._group(layer, range(width_of(layer))).items
        producers = {
            item.dep.target.module: len(item.idxs)
            for item in items
            if isinstance(item.dep.target.module, Layer)
            and self.graph.is_out_channel_pruning_fn(item.dep.handler)
        }
        return ChannelGroup(
            root=name,
            members=tuple(self.name_of(m) for m in producers),
            width=width_of(layer),
            obstacle=self._obstacle(layer, producers) or self._reading_obstacle(layer, items),
            depthwise=tuple(self.name_of(m) for m in producers if is_depthwise(m)),
            run=width_of(layer) // layer.groups if is_grouped(layer) else 1,
            multiple=lcm(*(n.num_groups for n in _norms(item.dep.target.module for item in items))),
        )

    def consumers(self, name: str) -> list[Consumer]:
        """The layers that read the output channels of ``name``, through whatever lies between."""
        layer = self.layer(name)
        consumers = []
        for item in self._group(layer, range(width_of(layer))).items:
            module = item.dep.target.module
            makes = self.graph.is_out_channel_pruning_fn(item.dep.handler)
            if isinstance(module, Layer) and not makes:
                order = torch.tensor(item.root_idxs).argsort(stable=True)
                columns = torch.tensor(item.idxs)[order].view(width_of(layer), -1)
                consumers.append(Consumer(self.name_of(module), module, columns))
        return consumers

    def tied_group(self, name: str, channels: Sequence[int] | None = None) -> tp.Group:
        """Torch-Pruning's own group of output channels of ``name``; default: of all of them.

        What has a single channel for all of them (a map that the others are multiplied by, a
        convolution along the channels) is not in it.
        """
        layer = self._producers.get(name) or self.layer(name)
        group = self._group(layer, range(width_of(layer)) if channels is None else channels)
        group.items[:] = [i for i in group.items if self.side_width(i.dep) != 1 or not any(i.idxs)]
        return group

    def side_width(self, dependency: tp.dependency.Dependency) -> int | None:
        """How many channels the side of a module has that an edge of the graph leads to."""
        node, graph = dependency.target, self.graph
        makes = graph.is_out_channel_pruning_fn(dependency.handler)
        return graph.get_out_channels(node) if makes else graph.get_in_channels(node)

    def cut(self, keep: Mapping[str, Sequence[int]]) -> None:
        """Remove every output channel that is not in ``keep``, in place.

        Args:
            keep: Convolution name to the sorted indices of the channels it keeps.
                Of a coupled group, one member is enough.

        Raises:
            UserError: Unknown layer, index out of range, an empty layer, a group that
                cannot be cut, or coupled layers that keep different channels.
        """
        with traceable(self.model):
            for layer, removed in self._removals(keep):
                if is_grouped(layer):
                    self._cut_groups(layer, removed)
                else:
                    self._group(layer, removed).prune()

    @torch.no_grad()
    def zero(self, keep: Mapping[str, Sequence[int]]) -> None:
        """Set every output channel that is not in ``keep`` to zero, in place.

        The channel is silenced where it is made: filter, bias, and the scale and shift of
        its BatchNorm. Layers that read it see zeros. Arguments and errors as :meth:`cut`.
        """
        for layer, removed in self._removals(keep):
            for item in self._group(layer, removed).items:
                if self.graph.is_out_channel_pruning_fn(item.dep.handler):
                    for tensor in item.dep.target.module.parameters(recurse=False):
                        tensor[list(item.idxs)] = 0

    def _group(self, layer: Layer, channels: Sequence[int]) -> tp.Group:
        conv = isinstance(layer, nn.Conv2d)
        function = tp.prune_conv_out_channels if conv else tp.prune_linear_out_channels
        return self.graph.get_pruning_group(layer, function, list(channels))

    def _cut_groups(self, conv: nn.Conv2d, removed: Sequence[int]) -> None:
        """Remove whole groups of a grouped convolution, and the channels that they read."""
        run_out, run_in = (width // conv.groups for width in (conv.out_channels, conv.in_channels))
        groups = sorted({channel // run_out for channel in removed})
        read = [g * run_in + place for g in groups for place in range(run_in)]
        self._group(conv, removed).prune()
        for item in self._group(self._maker_of_inputs(conv), read).items:
            if item.dep.target.module is not conv:
                item.dep(item.idxs)
        conv.groups -= len(groups)
        conv.in_channels -= len(read)

    def _maker_of_inputs(self, conv: nn.Conv2d) -> nn.Conv2d:
        """The one layer whose channels ``conv`` reads, all of them, and nobody else.

        Raises:
            UserError: There is no such layer.
        """
        for name in self.layers():
            items = self._group(self.layer(name), range(width_of(self.layer(name)))).items
            convs = [m for m in (i.dep.target.module for i in items) if isinstance(m, nn.Conv2d)]
            if len(convs) == 2 and convs[1] is conv:
                return convs[0]
        raise UserError(
            f'Layer {self.name_of(conv)} is a grouped convolution, and what it reads does not come '
            'from one layer of its own: its groups cannot be removed.'
        )

    def _obstacle(self, layer: Layer, producers: Mapping[Layer, int]) -> str | None:
        for other, touched in producers.items():
            if is_grouped(other) and other is not layer:
                return f'{self._names[other]} is a grouped convolution'
            if width_of(other) != width_of(layer) or touched != width_of(layer):
                return (
                    f'it is added to {self._names[other]}, of another width, through a '
                    'parameter-free shortcut'
                )
        return None

    def _reading_obstacle(self, layer: Layer, items: Sequence) -> str | None:
        """A consumer that cannot follow if its inputs are taken away one by one."""
        for module in (item.dep.target.module for item in items[1:]):
            if module is not layer and isinstance(module, SELECTING):
                return f'{self._names[module]} reads a selection of its channels'
            if module is not layer and is_grouped(module):
                return f'{self._names[module]} is a grouped convolution'
        return None

    def _removals(self, keep: Mapping[str, Sequence[int]]) -> list[tuple[Layer, list[int]]]:
        """One ``(layer, removed channels)`` per group; everything is checked first."""
        removals: list[tuple[Layer, list[int]]] = []
        settled: dict[str, tuple[int, ...]] = {}
        for name, kept in keep.items():
            layer = self.layer(name)
            kept = check_indices(f'Layer {name} would keep', kept, width_of(layer))
            removed = other_indices(kept, width_of(layer))
            group = self.group(name)
            _check_runs(group, removed)
            _check_multiple(group, len(kept))
            if removed and group.obstacle:
                raise UserError(f'Layer {name} cannot be pruned: {group.obstacle}.')
            clash = next((m for m in group.members if settled.get(m, kept) != kept), None)
            if clash:
                raise UserError(
                    f'Layers {clash} and {name} are added to one another and must keep the '
                    f'same channels.'
                )
            if removed and not any(m in settled for m in group.members):
                removals.append((layer, removed))
            settled[name] = kept
        return removals


@contextmanager
def _looked_at(model: nn.Module) -> Iterator[None]:
    with traceable(model), one_image_will_do(model), torch.enable_grad():
        yield


def _check_runs(group: ChannelGroup, removed: Sequence[int]) -> None:
    runs = {channel // group.run for channel in removed}
    if len(runs) * group.run != len(removed):
        raise UserError(
            f'Layer {group.root} is a grouped convolution: its channels only go in whole groups '
            f'of {group.run}.'
        )


def _check_multiple(group: ChannelGroup, kept: int) -> None:
    if kept != group.width and kept % group.multiple:
        raise UserError(
            f'Layer {group.root} would keep {kept} channels, and GroupNorm makes {group.multiple} '
            f'groups of equal size of them: keep a multiple of {group.multiple}.'
        )


def _norms(modules: Iterable[nn.Module]) -> list[nn.GroupNorm]:
    return [module for module in modules if isinstance(module, nn.GroupNorm)]


def is_grouped(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether a module is a grouped convolution, but no depthwise one."""
    return isinstance(module, nn.Conv2d) and module.groups > 1 and not is_depthwise(module)


def is_depthwise(module: nn.Module) -> bool:
    """Whether a module is a convolution that maps each channel to itself."""
    return isinstance(module, nn.Conv2d) and 1 < module.groups == module.in_channels == (
        module.out_channels
    )


def width_of(layer: Layer) -> int:
    """How many output channels a layer has."""
    return layer.out_channels if isinstance(layer, nn.Conv2d) else layer.out_features


def _is_unit(name: str, module: nn.Module) -> bool:
    return name.startswith(HEAD) and isinstance(module, nn.Linear)


def _every_map(network: Any, images: Tensor) -> list[Tensor]:
    """Every feature map, and the class scores."""
    features = all_features(network.backbone(images))
    return [*features, network.head(features[-1])]


def _apart(output: Tensor | Sequence[Tensor]) -> list[Tensor]:
    """Feature maps one step behind the network.

    Torch-Pruning mistakes a concatenation that is an output for a sum of its parts.
    """
    return [feature.mul(1) for feature in all_features(output)]
