"""A network's channels, followed through everything that it computes.

The network runs once. Every index along every dimension of its parameters and buffers is a node
(see :mod:`.channel_ties`); what torch computes with them says which are tied. No layer has to be
known for that: what a network does beside its layers (reshapes, attention, gates, shuffles, a
convolution by a computed weight) is followed alike. Source of the notion, and of narrowing all
groups of a convolution alike: DepGraph (arXiv 2301.12900).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from rethink_det.architecture import channel_moves  # noqa: F401  registers its rules
from rethink_det.architecture.channel_rules import Call, follow
from rethink_det.architecture.channel_ties import Labels, Nodes, Sets, Ties
from rethink_det.architecture.network import weight_of
from rethink_det.architecture.own_numbers import Demand, known_numbers
from rethink_det.architecture.sizes_said import SizesSaid
from rethink_det.architecture.tracing import apart, evaluating, one_image_will_do, place_in
from rethink_det.errors import UserError, in_one_line

Side = tuple[str, int]
"""A parameter or buffer by its name, and one of its dimensions."""


class ChannelTrace:
    """What is tied to what in a network.

    Attributes:
        sides: The nodes along each dimension of each parameter and buffer.
        sets: What belongs together.
        demands: Which numbers of modules stand for how many of which nodes.

    Args:
        model: On any device; on ``meta`` nothing is computed.
        input_shape: ``(channels, height, width)`` of one image.
        run: Maps model and images to what it puts out; default: calls it.
        fixed: Outputs that must keep their channels, picked from those.

    Raises:
        UserError: The model cannot run on such an input.
    """

    def __init__(
        self,
        model: nn.Module,
        input_shape: Sequence[int],
        run: Callable[[nn.Module, Tensor], Any] | None = None,
        fixed: Callable[[Any], Sequence[Tensor]] = lambda outputs: (),
    ) -> None:
        ties = Ties()
        self.sides: dict[Side, Nodes] = {}
        known: dict[int, Labels] = {}
        tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        kernels = {id(m.weight) for m in model.modules() if isinstance(m, _ConvNd)}
        for name, tensor in tensors.items():
            channels = 2 if id(tensor) in kernels else tensor.ndim
            sizes = enumerate(tensor.shape)
            labels = tuple(ties.new(n) if n > 1 and d < channels else None for d, n in sizes)
            self.sides |= {(name, d): nodes for d, nodes in enumerate(labels) if nodes is not None}
            known[id(tensor)] = labels
        following = _Following(ties, known)
        reading = SizesSaid(following.labels, following.label, ties)
        for name, attention in _attentions(model):
            _tie_packed(ties, self.sides, name, attention)
        like = next(iter(tensors.values()))
        images = torch.zeros(1, *input_shape, device=like.device)
        with (
            evaluating(model),
            one_image_will_do(model),
            known_numbers(model) as heard,
            _slowly(),
            apart(model),
            place_in(model) as place,
            torch.no_grad(),
        ):
            following.place, following.reading = place, reading
            try:
                with following, reading:
                    outputs = run(model, images) if run else model(images)
            except Exception as error:  # whatever a network raises
                at = f' at module {place[-1]!r}' if place else ''
                raise UserError(
                    f'The channels of {type(model).__name__} cannot be followed with an input '
                    f'of {tuple(input_shape)}{at}: {in_one_line(error)}'
                ) from error
        ties.place = ''
        for output in fixed(outputs):
            for nodes in following.labels(output):
                ties.fix(nodes, 'puts it out as class scores')
        self.sets: Sets = ties.settled()
        self.demands: list[Demand] = [*reading.demands, *heard]

    def made_by(self, layer: str) -> Nodes | None:
        """The nodes of a layer's output channels; ``None`` if it has a single one.

        Args:
            layer: Its name in the model, of :func:`.network.named_layers`.
        """
        return self.sides.get((weight_of(layer), 0))


def _attentions(model: nn.Module) -> Iterator[tuple[str, nn.MultiheadAttention]]:
    for name, module in model.named_modules():
        if isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
            yield name, module


def _tie_packed(
    ties: Ties, sides: Mapping[Side, Nodes], name: str, attention: nn.MultiheadAttention
) -> None:
    """torch's attention insists on as many queries, keys and values as it reads channels."""
    rows, columns = (sides[f'{name}.in_proj_weight', dim] for dim in (0, 1))
    ties.join(columns, rows.reshape(3, -1))


class _Following(TorchDispatchMode):
    """Labels everything that is computed."""

    def __init__(self, ties: Ties, known: Mapping[int, Labels]) -> None:
        super().__init__()
        self.ties, self.given = ties, known
        self.place: list[str] = []
        self.reading: SizesSaid | None = None
        self._computed = WeakIdKeyDictionary()

    def labels(self, tensor: Tensor) -> Labels:
        """Those of a tensor; of one that no parameter is in there are none."""
        found = self._computed.get(tensor) or self.given.get(id(tensor))
        return found if found is not None else (None,) * tensor.ndim

    def label(self, tensor: Tensor, labels: Labels) -> None:
        """Give a tensor labels."""
        self._computed[tensor] = labels

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence = (), kwargs: Mapping | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        result = func(*args, **kwargs)
        names = [argument.name for argument in func._schema.arguments]
        arguments = {**dict(zip(names, args, strict=False)), **kwargs}
        if any(self._has_nodes(one) for one in tree_leaves(arguments)):
            self._follow(func, arguments, [t for t in tree_leaves(result) if _is(t)])
        return result

    def _has_nodes(self, value: Any) -> bool:
        return _is(value) and any(nodes is not None for nodes in self.labels(value))

    def _follow(self, func: Any, arguments: dict[str, Any], outputs: Sequence[Tensor]) -> None:
        defaults = {a.name: a.default_value for a in func._schema.arguments}
        self.ties.place = self.place[-1] if self.place else ''
        said = self.reading.said if self.reading else frozenset()
        name = func._schema.name.partition('::')[2].rstrip('_')
        call = Call(name, {**defaults, **arguments}, outputs, self.labels, self.ties, said)
        for output, labels in zip(outputs, follow(call, func.tags), strict=False):
            self.label(output, labels)


@contextmanager
def _slowly() -> Iterator[None]:
    """Without torch's own whole-layer attention, which does all in one operation."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _is(value: Any) -> bool:
    return isinstance(value, Tensor)
