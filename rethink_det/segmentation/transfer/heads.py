"""The heads of a segmenter, and how wide they are told the maps that they read.

mmsegmentation's say which maps these are: ``in_index``, one or several, and ``in_channels``.
"""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from rethink_det.errors import UserError
from rethink_det.transfer.adapted import Change
from rethink_det.transfer.readers import changed_widths, parts

HEADS = ('decode_head', 'auxiliary_head')
WIDTHS, INDEX, FIRST = 'in_channels', 'in_index', 'c1_in_channels'
"""Settings of a head: widths and places of what it reads, and the width of the finest map, which
DeepLabV3+ reads besides."""


def readers(model: Mapping) -> Iterator[tuple[str, MutableMapping]]:
    """Every head that says which maps it reads, inside others (K-Net) too, each with its place."""
    for key in HEADS:
        for place, head in parts(model, key):
            yield from _readers(head, f'model.{place}')


def _readers(node: Any, place: str) -> Iterator[tuple[str, MutableMapping]]:
    if isinstance(node, MutableMapping):
        if node.get(WIDTHS) is not None and (INDEX in node or place.count('.') <= 2):
            yield place, node
            return
        for key, part in node.items():
            yield from _readers(part, f'{place}.{key}')


def set_head_widths(model: Mapping, old: Sequence[int], new: Sequence[int]) -> list[Change]:
    """Tell the heads the widths that they are going to read, in place.

    Args:
        model: Config of a segmenter.
        old: Widths of the maps it was written for, of its neck where it has one.
        new: Widths of those it is going to get.

    Returns:
        What changes.

    Raises:
        UserError: A head reads a map that there is not, or says another width of it.
    """
    if len(old) != len(new):
        raise UserError(
            f'The heads are written for {len(old)} feature maps and would get {len(new)}.'
        )
    changes: list[Change] = []
    for place, head in readers(model):
        told = {WIDTHS: _read(head, list(old), list(new), place)}
        if head.get(FIRST):
            told[FIRST] = _one(head[FIRST], old[0], new[0], f'{place}.{FIRST}')
        for key, after in told.items():
            before = head[key]
            if after != (list(before) if isinstance(before, Sequence) else before):
                changes.append(Change(f'{place}.{key}', before, after))
                head[key] = after
    return changes


def _read(head: Mapping, old: list[int], new: list[int], place: str) -> Any:
    """The widths of the maps that a head reads, as it says them: a number or a list."""
    said, index, where = head[WIDTHS], head.get(INDEX), f'{place}.{WIDTHS}'
    if index is None and isinstance(said, Sequence):  # Mask2Former reads them all
        return changed_widths(said, old, new, where)
    index = -1 if index is None else index
    try:
        if not isinstance(index, Sequence):
            return _one(said, old[index], new[index], where)
        pairs = [(old[one], new[one]) for one in index]
    except IndexError:
        raise UserError(
            f'{place}.{INDEX} is {index}, but there are {len(old)} feature maps; set '
            'model.backbone.out_indices.'
        ) from None
    if not isinstance(said, Sequence) or len(said) != len(index):
        raise UserError(f'{where} is {said} for the maps {list(index)} of {place}.{INDEX}.')
    return [_one(own, *pair, where) for own, pair in zip(said, pairs, strict=True)]


def _one(said: Any, old: int, new: int, where: str) -> int:
    """The new width of one map, of which the config says the old one."""
    if said != old and old != new:
        raise UserError(
            f'{where} has {said} for a map that is {old} wide: it is not known what becomes of it '
            f'at {new}.'
        )
    return new if said == old else said
