"""What each operation of torch says of channels: which are tied, and where they come out.

A rule is given a :class:`Call` and returns the labels of what the operation puts out. An
operation without a rule ties nothing: whatever it reads must stay as it is, which is safe.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rethink_det.architecture.channel_ties import FIXED, Labels, Nodes, Ties


@dataclass(frozen=True)
class Call:
    """One operation that ran.

    Attributes:
        name: As torch has it, without namespace and the ending of those that work in place.
        arguments: By their names; those left out have their defaults.
        outputs: What came out, tensors.
        remembered: Looks up the labels of a tensor; of a dimension that was reduced to size 1
            those of what it was before.
        ties: What is told.
        sizes_said: Which sizes of a shape that was asked for a module has as numbers of its own.
    """

    name: str
    arguments: dict[str, Any]
    outputs: Sequence[Tensor]
    remembered: Callable[[Tensor], Labels]
    ties: Ties
    sizes_said: frozenset[int] = frozenset()

    def __getitem__(self, name: str) -> Any:
        return self.arguments.get(name)

    def labels(self, tensor: Tensor) -> Labels:
        """Those of a tensor."""
        sides = zip(tensor.shape, self.remembered(tensor), strict=True)
        return tuple(None if n is not None and len(n) != size else n for size, n in sides)

    @property
    def first(self) -> Tensor:
        """The tensor that it works on."""
        return next(iter(self.tensors()))

    def tensors(self) -> Iterable[Tensor]:
        """All tensors among the arguments."""
        for value in self.arguments.values():
            for one in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(one, Tensor):
                    yield one

    def tie(self, sides: Iterable[tuple[int, Nodes | None]]) -> Nodes | None:
        """Tie dimensions that are combined index by index; returns the nodes of what comes out.

        Args:
            sides: Size and nodes of each; one of size 1 is combined with all alike.
        """
        wide = [nodes for size, nodes in sides if size > 1]
        known = [nodes for nodes in wide if nodes is not None]
        if not known:
            return None
        for nodes in known[1:]:
            self.ties.join(known[0], nodes)
        if len(known) < len(wide):
            self.ties.fix(known[0], 'combines it with something of a fixed width')
            return None
        return known[0]

    def tie_vectors(self, nodes: Nodes | None, vectors: Sequence[Tensor | None]) -> Nodes | None:
        """Tie a dimension to vectors along it."""
        given = [v for v in vectors if v is not None]
        sides = [(v.shape[0], self.labels(v)[0]) for v in given]
        size = len(nodes) if nodes is not None else max((s for s, _ in sides), default=0)
        return self.tie([(size, nodes), *sides])

    def fix(self, tensor: Tensor, dims: Iterable[int], why: str) -> None:
        """Say that dimensions of a tensor must stay as they are."""
        labels = self.labels(tensor)
        for dim in dims:
            self.ties.fix(labels[dim], why)


Rule = Callable[[Call], Sequence[Labels]]

RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for operations."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return register


def follow(call: Call, tags: Sequence[Any]) -> Sequence[Labels]:
    """The labels of what an operation puts out.

    Args:
        call: The operation.
        tags: What torch says of it.
    """
    if known := RULES.get(call.name):
        return known(call)
    if torch.Tag.pointwise in tags:
        return pointwise(call)
    if torch.Tag.reduction in tags:
        return reduced(call)
    for tensor in call.tensors():
        call.fix(tensor, range(tensor.ndim), f'works on it by {call.name}, which is not followed')
    return [*nothing(call)]


@rule('new_zeros', 'new_ones', 'new_full', 'new_empty', 'new_empty_strided')
def nothing(call: Call) -> Sequence[Labels]:
    """No nodes in anything that comes out."""
    return [(None,) * output.ndim for output in call.outputs]


def alike(call: Call, labels: Labels) -> list[Labels]:
    """The same labels for all outputs of as many dimensions, none for the others."""
    return [
        labels if output.ndim == len(labels) else (None,) * output.ndim for output in call.outputs
    ]


@rule('copy')
def copied(call: Call) -> list[Labels]:
    """Into a tensor of its own comes what is copied there; a part of another must fit that."""
    target, source = call['self'], call['src']
    if target._is_view() or source.shape != target.shape:
        return pointwise(call)
    return [call.labels(source)]


def pointwise(call: Call) -> list[Labels]:
    """Tensors are combined element by element, and broadcast."""
    ndim = call.outputs[0].ndim
    given = [(t, self) for t in call.tensors() if len(self := call.labels(t)) <= ndim]
    found: list[Nodes | None] = []
    for dim in range(-ndim, 0):
        along = [(t, labels[dim]) for t, labels in given if t.ndim >= -dim]
        if call.outputs[0].shape[dim] == 1:
            before = (call.remembered(t)[dim] for t, _ in along)
            found.append(next((nodes for nodes in before if nodes is not None), None))
        else:
            found.append(call.tie((t.shape[dim], nodes) for t, nodes in along))
    return alike(call, tuple(found))


@rule(
    *('_to_copy', 'clone', 'alias', 'detach', 'lift_fresh', 'contiguous', 'native_dropout'),
    *('_softmax', '_safe_softmax', '_log_softmax', 'cumsum', 'softmax', 'hardswish', 'gelu'),
    *('zeros_like', 'ones_like', 'empty_like', 'rand_like', 'randn_like', 'full_like'),
    *('dropout', 'celu', 'selu', 'elu', 'resolve_conj', 'view_as', 'mish', 'hardsigmoid'),
)
def passed(call: Call) -> list[Labels]:
    """What comes out has the shape of what goes in."""
    return alike(call, call.remembered(call.first))


@rule('log_softmax', 'norm', 'std', 'var', 'aminmax', 'logsumexp')
def reduced(call: Call) -> list[Labels]:
    """Sums, means, extremes along dimensions, which are gone or of size 1 (and remembered)."""
    tensor, dims = call.first, call['dim']
    labels = list(call.labels(tensor))
    numbers = [dims] if isinstance(dims, int) else list(dims or range(tensor.ndim))
    gone = {dim % tensor.ndim for dim in numbers} if tensor.ndim else set()
    kept = call.outputs[0].ndim == tensor.ndim
    left = [labels[d] for d in range(tensor.ndim) if kept or d not in gone]
    return alike(call, tuple(left))


@rule('convolution', '_convolution', 'mkldnn_convolution', 'deform_conv2d', 'conv2d', 'conv1d')
def convolved(call: Call) -> list[Labels]:
    """Convolutions, deformable ones included; of groups all are narrowed alike."""
    image, weight = call['input'] if call['input'] is not None else call.first, call['weight']
    for name in ('offset', 'mask'):
        if isinstance(call[name], Tensor):
            call.fix(call[name], range(call[name].ndim), 'moves its samples by it')
    call.fix(image, range(2, image.ndim), 'convolves along it')
    call.fix(weight, range(2, weight.ndim), 'has a kernel of that size')
    labels = call.labels(image)
    if call['transposed']:
        made = _transposed(call, labels[1], weight)
    else:
        made = _forward(call, labels[1], weight)
    made = call.tie_vectors(made, [call['bias']])
    return alike(call, (labels[0], made, *(None for _ in range(image.ndim - 2))))


def _forward(call: Call, read: Nodes | None, weight: Tensor) -> Nodes | None:
    made, columns = call.labels(weight)[:2]
    width = call.first.shape[1]
    groups = width // weight.shape[1]
    if groups == 1:
        call.tie([(width, read), (weight.shape[1], columns)])
    elif weight.shape[1] == 1:
        by_channel = None if made is None else made.reshape(groups, -1)
        _tie_blocks(call, read, by_channel)
    else:
        _tie_slices(call, made, groups)
        _tie_slices(call, read, groups)
        first = None if read is None else read[: weight.shape[1]]
        call.tie([(weight.shape[1], first), (weight.shape[1], columns)])
    return made


def _transposed(call: Call, read: Nodes | None, weight: Tensor) -> Nodes | None:
    rows, made = call.labels(weight)[:2]
    call.tie([(weight.shape[0], read), (weight.shape[0], rows)])
    groups = int(call['groups'] or 1)
    if groups == 1:
        return made
    if weight.shape[1] == 1:
        return rows
    _tie_slices(call, rows, groups)
    return None if made is None else np.tile(made, groups)


def _tie_slices(call: Call, nodes: Nodes | None, number: int) -> None:
    """Of equal slices of channels the same places go."""
    if nodes is not None:
        slices = nodes.reshape(number, -1)
        call.ties.join(slices[:1], slices)


def _tie_blocks(call: Call, read: Nodes | None, made: Nodes | None) -> None:
    """Each channel makes a block of others."""
    if made is not None and read is not None:
        call.ties.join(read[:, None], made)
    elif made is not None or read is not None:
        call.ties.fix(made if read is None else read, 'combines it with a fixed width')


@rule('mm', 'bmm', 'addmm', 'baddbmm', 'mv', 'addmv')
def multiplied(call: Call) -> list[Labels]:
    """Products of matrices: what is summed over is tied, the rest comes out."""
    *added, one, other = call.tensors()
    ours, theirs = call.labels(one), call.labels(other)
    inner = max(other.ndim - 2, 0)
    call.tie([(one.shape[-1], ours[-1]), (other.shape[inner], theirs[inner])])
    found = [ours[-2], *theirs[inner + 1 :]]
    if one.ndim == 3:
        found = [call.tie([(len(one), ours[0]), (len(other), theirs[0])]), *found]
    return _plus(call, found, added)


@rule('linear')
def linear(call: Call) -> list[Labels]:
    """A linear layer, where torch does not take it apart."""
    image, weight = call['input'], call['weight']
    labels, (rows, columns) = call.labels(image), call.labels(weight)
    call.tie([(image.shape[-1], labels[-1]), (weight.shape[-1], columns)])
    return _plus(call, [*labels[:-1], rows], [call['bias']])


def _plus(call: Call, found: list[Nodes | None], added: Sequence[Tensor | None]) -> list[Labels]:
    """What comes out of a product when something is added to it."""
    for one in added:
        if one is not None:
            for dim in range(-one.ndim, 0):
                size = call.outputs[0].shape[dim]
                theirs = call.labels(one)[dim]
                found[dim] = call.tie([(size, found[dim]), (one.shape[dim], theirs)])
    return alike(call, tuple(found))


@rule(
    *('native_batch_norm', '_native_batch_norm_legit_no_training', 'cudnn_batch_norm'),
    *('_native_batch_norm_legit', 'batch_norm', 'instance_norm', '_batch_norm_no_update'),
    *('_batch_norm_with_update', 'native_group_norm'),
)
def normed_by_channel(call: Call) -> list[Labels]:
    """Norms along the second dimension; of the groups of a GroupNorm the same places go."""
    image = call['input']
    labels = list(call.labels(image))
    names = ('weight', 'bias', 'running_mean', 'running_var')
    labels[1] = call.tie_vectors(labels[1], [call[name] for name in names])
    if call.name == 'native_group_norm':
        _tie_slices(call, labels[1], call['group'])
    return [tuple(labels), *nothing(call)[1:]]


@rule('native_layer_norm', '_fused_rms_norm', 'rms_norm', 'layer_norm')
def normed_at_the_end(call: Call) -> list[Labels]:
    """Norms along the last dimensions."""
    image = call['input']
    labels = list(call.labels(image))
    for name in ('weight', 'bias'):
        if isinstance(vector := call[name], Tensor):
            for dim in range(-vector.ndim, 0):
                nodes = call.labels(vector)[dim]
                size = vector.shape[dim]
                labels[dim] = call.tie([(size, labels[dim]), (size, nodes)])
    return [tuple(labels), *nothing(call)[1:]]


@rule(
    *('_scaled_dot_product_flash_attention_for_cpu', '_scaled_dot_product_flash_attention'),
    *('_scaled_dot_product_efficient_attention', 'scaled_dot_product_attention'),
    *('_scaled_dot_product_fused_attention_overrideable', '_scaled_dot_product_cudnn_attention'),
)
def attended(call: Call) -> list[Labels]:
    """Attention of queries ``(..., N, D)`` to keys ``(..., M, D)`` and values ``(..., M, E)``."""
    query, key, value = (call[name] for name in ('query', 'key', 'value'))
    of_query, of_key, of_value = (call.labels(t) for t in (query, key, value))
    call.tie([(query.shape[-1], of_query[-1]), (key.shape[-1], of_key[-1])])
    call.tie([(key.shape[-2], of_key[-2]), (value.shape[-2], of_value[-2])])
    sides = zip(query.shape, of_query, key.shape, of_key, value.shape, of_value, strict=True)
    heads = [call.tie([(a, x), (b, y), (c, z)]) for a, x, b, y, c, z in sides][:-2]
    return [(*heads, of_query[-2], of_value[-1]), *nothing(call)[1:]]


@rule('glu')
def gated(call: Call) -> list[Labels]:
    """One half of the channels gates the other."""
    labels, dim = list(call.labels(call.first)), call['dim']
    nodes = labels[dim]
    if nodes is not None:
        one, other = np.split(nodes, 2)
        call.ties.join(one, other)
        labels[dim] = one
    return [tuple(labels)]


@rule('topk', 'sort', 'argsort', 'kthvalue')
def ordered(call: Call) -> list[Labels]:
    """What is put in an order by its values cannot lose any."""
    dim = call['dim'] if call['dim'] is not None else -1
    call.fix(call.first, [dim], f'puts it in order ({call.name})')
    labels = list(call.labels(call.first))
    labels[dim] = None
    return alike(call, tuple(labels))


@rule('as_strided')
def strided(call: Call) -> list[Labels]:
    """Other strides; the same elements if the shape is the same."""
    tensor = call.first
    if call.outputs[0].shape == tensor.shape:
        return [call.labels(tensor)]
    call.fix(tensor, range(tensor.ndim), 'takes its memory apart')
    return [*nothing(call)]


def constant(size: int) -> Nodes:
    """The nodes of a dimension that no parameter makes."""
    return np.full(size, FIXED)
