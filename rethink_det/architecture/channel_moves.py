"""Rules of the operations that only move elements: reshape, permute, split, concatenate, pad.

See :mod:`.channel_rules`. Where a dimension of channels is split in several (heads of attention,
groups that are shuffled), one of those is narrowed and the others stay: the same places go in all.
"""

from collections.abc import Sequence
from math import prod

import numpy as np
import torch
from torch import Tensor

from rethink_det.architecture.channel_rules import Call, alike, constant, nothing, rule
from rethink_det.architecture.channel_ties import Labels, Nodes


@rule('view', '_unsafe_view', 'reshape', '_reshape_alias', 'flatten', 'unflatten', 'view_copy')
def reshaped(call: Call) -> list[Labels]:
    """The same elements in another shape."""
    tensor, output = call.first, call.outputs[0]
    labels = call.labels(tensor)
    found: list[Nodes | None] = [None] * output.ndim
    for old, new in _blocks(tensor.shape, output.shape):
        known = [dim for dim in old if labels[dim] is not None]
        if len(known) > 1:
            call.fix(tensor, known, 'merges it with other channels')
        elif known:
            sizes = [output.shape[dim] for dim in new]
            spread = _spread(labels[known[0]], tensor, old, known[0]).reshape(sizes)
            at, nodes = _along_one(call, spread, new)
            found[new[at]] = nodes
    return [tuple(found)]


def _blocks(old: Sequence[int], new: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Dimensions of two shapes that hold the same elements, as few together as can be."""
    blocks, i, j = [], 0, 0
    while i < len(old) and j < len(new):
        first, second = [i], [j]
        a, b, i, j = old[i], new[j], i + 1, j + 1
        while a != b:
            if a < b:
                a, i, first = a * old[i], i + 1, [*first, i]
            else:
                b, j, second = b * new[j], j + 1, [*second, j]
        blocks.append((first, second))
    return blocks


def _spread(nodes: Nodes | None, tensor: Tensor, dims: Sequence[int], dim: int) -> Nodes:
    """Nodes of one dimension at every place of several."""
    assert nodes is not None
    shape = [tensor.shape[d] for d in dims]
    beside = [1] * len(dims)
    beside[list(dims).index(dim)] = -1
    return np.ascontiguousarray(np.broadcast_to(nodes.reshape(beside), shape))


def _along_one(call: Call, spread: Nodes, dims: Sequence[int]) -> tuple[int, Nodes]:
    """Along which of some dimensions nodes differ, and those nodes; ties what else differs."""
    for at in range(spread.ndim):
        line = _line(spread, at)
        if (spread == line).all():
            return at, line.ravel()
    at = max(range(spread.ndim), key=lambda at: _narrowable(call, spread.shape[at], dims[at], at))
    line = _line(spread, at)
    call.ties.join(line, spread)
    return at, line.ravel()


SMALL = 4
"""A dimension of such a size rather counts what is side by side: queries, keys and values."""


def _narrowable(call: Call, size: int, dim: int, at: int) -> tuple:
    """Which of some dimensions is rather narrowed: the largest, and one that no module sizes."""
    return size > SMALL, size, dim not in call.sizes_said, at


def _line(spread: Nodes, at: int) -> Nodes:
    return spread[tuple(slice(None) if dim == at else slice(1) for dim in range(spread.ndim))]


@rule('permute', 'transpose', 't', 'swapaxes', 'movedim', 'numpy_T', 'unsqueeze', 'squeeze')
def rearranged(call: Call) -> list[Labels]:
    """Dimensions in another order, one more or fewer of size 1."""
    labels, ndim = list(call.labels(call.first)), call.first.ndim
    if call.name == 'permute':
        return [tuple(labels[dim] for dim in call['dims'])]
    if call.name == 't':
        return [tuple(labels[::-1])]
    if call.name == 'transpose':
        one, other = call['dim0'], call['dim1']
        labels[one], labels[other] = labels[other], labels[one]
    elif call.name == 'unsqueeze':
        labels.insert(call['dim'] % (ndim + 1), None)
    else:
        dims = call['dim'] if call['dim'] is not None else range(ndim)
        gone = {dim % ndim for dim in ([dims] if isinstance(dims, int) else dims)}
        shape = call.first.shape
        labels = [n for dim, n in enumerate(labels) if dim not in gone or shape[dim] > 1]
    return [tuple(labels)]


@rule('expand', 'broadcast_to')
def expanded(call: Call) -> list[Labels]:
    """Dimensions of size 1 repeated, and new ones in front."""
    labels, output = call.remembered(call.first), call.outputs[0]
    sizes = output.shape[output.ndim - len(labels) :]
    kept = [n if n is None or len(n) == s else None for s, n in zip(sizes, labels, strict=True)]
    return [(*(None for _ in range(output.ndim - len(labels))), *kept)]


@rule('slice', 'narrow')
def sliced(call: Call) -> list[Labels]:
    """A range of indices along a dimension."""
    labels, dim = list(call.labels(call.first)), call['dim'] or 0
    nodes = labels[dim]
    if nodes is not None:
        if call.name == 'narrow':
            start, end, step = call['start'], call['start'] + call['length'], 1
        else:
            start, end, step = call['start'] or 0, call['end'], call['step'] or 1
        left = nodes[start:end:step]
        if len(left) < len(nodes):
            rest = np.concatenate([nodes[:start], nodes[start:][len(left) :]])
            call.ties.split([left, rest])
        if step != 1:
            call.ties.fix(nodes, 'takes every so many channels')
        labels[dim] = left
    return [tuple(labels)]


@rule('split', 'split_with_sizes', 'chunk', 'tensor_split', 'unsafe_split', 'unsafe_chunk')
def split(call: Call) -> list[Labels]:
    """Parts along a dimension."""
    labels, dim = call.labels(call.first), (call['dim'] or 0) % call.first.ndim
    nodes = labels[dim]
    ends = np.cumsum([output.shape[dim] for output in call.outputs])[:-1]
    if nodes is None:
        return [labels for _ in call.outputs]
    parts = np.split(nodes, ends)
    if len(parts) > 1:
        call.ties.split(parts)
    return [(*labels[:dim], part, *labels[dim + 1 :]) for part in parts]


@rule('unbind', 'select')
def picked(call: Call) -> list[Labels]:
    """Single indices along a dimension."""
    dim, tensor = (call['dim'] or 0) % call.first.ndim, call.first
    call.fix(tensor, [dim], 'takes single channels')
    labels = call.labels(tensor)
    return alike(call, (*labels[:dim], *labels[dim + 1 :]))


@rule('cat', 'concatenate')
def concatenated(call: Call) -> list[Labels]:
    """Tensors one behind the other along a dimension."""
    tensors = [t for t in call.tensors() if t.ndim > 1 or t.numel()]
    dim = (call['dim'] or 0) % call.outputs[0].ndim
    sides = [call.labels(t) for t in tensors]
    found: list[Nodes | None] = []
    for d in range(call.outputs[0].ndim):
        if d != dim:
            found.append(call.tie((t.shape[d], s[d]) for t, s in zip(tensors, sides, strict=True)))
        elif all(s[d] is None for s in sides):
            found.append(None)
        else:
            parts = zip(tensors, sides, strict=True)
            found.append(np.concatenate([_known(s[d], t.shape[d]) for t, s in parts]))
    return [tuple(found)]


def _known(nodes: Nodes | None, size: int) -> Nodes:
    return constant(size) if nodes is None else nodes


@rule('stack')
def stacked(call: Call) -> list[Labels]:
    """Tensors side by side along a new dimension."""
    tensors = list(call.tensors())
    sides = [call.labels(t) for t in tensors]
    found = [call.tie((tensors[0].shape[d], s[d]) for s in sides) for d in range(tensors[0].ndim)]
    found.insert((call['dim'] or 0) % (tensors[0].ndim + 1), None)
    return [tuple(found)]


@rule('index', 'index_select', 'embedding', 'gather', '_unsafe_index')
def indexed(call: Call) -> list[Labels]:
    """What is picked by numbers along dimensions; these must stay, the others come out."""
    if call.name == 'embedding':
        call.fix(call['weight'], [0], 'looks it up by number')
        return [(*(None for _ in range(call['indices'].ndim)), call.labels(call['weight'])[1])]
    tensor = call['self']
    labels = call.labels(tensor)
    if call.name in ('index_select', 'gather'):
        dim = call['dim'] % tensor.ndim
        call.fix(tensor, [dim], 'picks from it by number')
        return [tuple(None if d == dim else nodes for d, nodes in enumerate(labels))]
    given = [dim for dim, numbers in enumerate(call['indices']) if numbers is not None]
    call.fix(tensor, given, 'picks from it by number')
    left = [dim for dim in range(tensor.ndim) if dim not in given]
    adjacent = given == list(range(given[0], given[0] + len(given)))
    new = call.outputs[0].ndim - len(left)
    at = given[0] if adjacent else 0
    kept: list[Nodes | None] = [labels[dim] for dim in left]
    return [(*kept[:at], *(None for _ in range(new)), *kept[at:])]


SPATIAL = {'1d': 1, '2d': 2, '3d': 3}


@rule(
    *(f'{kind}{n}d' for kind in ('avg_pool', 'max_pool', 'lp_pool') for n in (1, 2, 3)),
    *(f'{kind}{n}d' for kind in ('adaptive_avg_pool', 'adaptive_max_pool') for n in (1, 2, 3)),
    *(f'_adaptive_avg_pool{n}d' for n in (2, 3)),
    *(f'max_pool{n}d_with_indices' for n in (2, 3)),
    *(f'{kind}{n}d' for kind in ('upsample_nearest', '_upsample_nearest_exact') for n in (1, 2, 3)),
    *('upsample_bilinear2d', 'upsample_bicubic2d', 'upsample_linear1d', 'upsample_trilinear3d'),
    *('_upsample_bilinear2d_aa', '_upsample_bicubic2d_aa', 'grid_sampler_2d', 'mkldnn_max_pool2d'),
)
def resampled(call: Call) -> list[Labels]:
    """Pixels are pooled or interpolated; images and channels stay what they are."""
    tensor = call.first
    spatial = next(n for name, n in SPATIAL.items() if name in call.name)
    kept = tensor.ndim - spatial
    for one in call.tensors():
        behind = range(one.ndim) if one is not tensor else range(kept, one.ndim)
        call.fix(one, behind, 'resamples along it')
    return alike(call, (*call.labels(tensor)[:kept], *(None for _ in range(spatial))))


@rule('view_as_real', 'view_as_complex')
def real_or_complex(call: Call) -> list[Labels]:
    """Two real numbers are a complex one."""
    labels = call.labels(call.first)
    return [(*labels, None) if call.name == 'view_as_real' else labels[:-1]]


@rule('_fft_r2c', '_fft_c2c', '_fft_c2r')
def transformed(call: Call) -> list[Labels]:
    """Fourier transforms, along dimensions that must stay."""
    tensor = call.first
    dims = [dim % tensor.ndim for dim in call['dim']]
    call.fix(tensor, dims, 'transforms along it')
    labels = call.labels(tensor)
    return [tuple(None if dim in dims else nodes for dim, nodes in enumerate(labels))]


@rule(
    *('roll', 'flip', 'repeat', 'unfold', 'pixel_shuffle', 'pixel_unshuffle'),
    *('channel_shuffle', 'native_channel_shuffle', 'rot90', 'diagonal', '_pad_circular'),
    *(f'{kind}_pad{n}d' for kind in ('reflection', 'replication') for n in (1, 2, 3)),
)
def replayed(call: Call) -> list[Labels]:
    """Whatever moves elements: it is done once more, to the numbers of the nodes."""
    tensor, output = call.first, call.outputs[0]
    found: list[Nodes | None] = [None] * output.ndim
    for dim, nodes in enumerate(call.labels(tensor)):
        if nodes is None:
            continue
        spread = _spread(nodes, tensor, range(tensor.ndim), dim)
        moved = _again(call, torch.from_numpy(spread)).numpy()
        if prod(moved.shape) and (moved == moved.flat[0]).all():
            call.ties.fix(nodes, f'mixes it up by {call.name}')
            continue
        at, line = _along_one(call, moved, range(moved.ndim))
        if found[at] is not None:
            call.ties.fix(nodes, f'merges it with other channels by {call.name}')
            return [*nothing(call)]
        found[at] = line
    return [tuple(found)]


@rule('im2col')
def windows(call: Call) -> list[Labels]:
    """Every window of a picture ``(N, C, H, W)`` as a column ``(N, C * window, windows)``."""
    tensor = call.first
    call.fix(tensor, range(2, tensor.ndim), 'takes windows along it')
    labels = call.labels(tensor)
    nodes = labels[1]
    spread = None if nodes is None else nodes.repeat(prod(call['kernel_size']))
    return [(labels[0], spread, None)]


@rule('col2im')
def folded(call: Call) -> list[Labels]:
    """Windows ``(N, C * window, windows)`` are added up to a picture ``(N, C, H, W)``."""
    labels = call.labels(call.first)
    nodes = labels[1]
    if nodes is not None:
        windows_of = nodes.reshape(call.outputs[0].shape[1], -1)
        call.ties.join(windows_of[:, :1], windows_of)
        nodes = windows_of[:, 0]
    return [(labels[0], nodes, None, None)]


@rule('constant_pad_nd')
def padded(call: Call) -> list[Labels]:
    """Constants at the ends of dimensions, which stay; or less at the ends."""
    labels, pads = list(call.labels(call.first)), list(call['pad'])
    for number in range(len(pads) // 2):
        before, behind = pads[2 * number : 2 * number + 2]
        nodes = labels[-1 - number]
        if nodes is not None and (before or behind):
            nodes = nodes[max(-before, 0) : len(nodes) - max(-behind, 0)]
            ends = constant(max(before, 0)), constant(max(behind, 0))
            labels[-1 - number] = np.concatenate([ends[0], nodes, ends[1]])
    return [tuple(labels)]


def _again(call: Call, numbers: Tensor) -> Tensor:
    arguments = dict(call.arguments)
    name = next(key for key, value in arguments.items() if value is call.first)
    arguments[name] = numbers.double()
    operation = getattr(torch.ops.aten, call.name)
    return operation(**arguments).long()
