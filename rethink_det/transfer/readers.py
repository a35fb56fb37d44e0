"""What reads feature maps, by its config, and how it is told other widths."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from rethink_det.errors import UserError
from rethink_det.transfer.adapted import Change


def parts(node: Mapping, key: str) -> Iterator[tuple[str, MutableMapping]]:
    """The configs at ``key``, one or a list of them (cascades), each with its place."""
    value = node.get(key) or ()
    if isinstance(value, MutableMapping):
        yield key, value
        return
    for i, part in enumerate(value):
        yield f'{key}.{i}', part


def set_in(
    reader: MutableMapping,
    key: str,
    place: str,
    old: Sequence[int],
    new: Sequence[int],
    required: bool = False,
) -> list[Change]:
    """Tell one reader the new width, or widths, in place; returns what changes.

    Args:
        reader: Its config.
        key: Which of its settings.
        place: Of the reader in the whole config.
        old: Widths of the feature maps that the setting was written for.
        new: Of those that are going to be read.
        required: Whether it must have the setting.

    Raises:
        UserError: It has not, or is for other maps.
    """
    value = reader.get(key)
    if value is None:
        if required:
            raise UserError(
                f'{place} ({reader.get("type")}) has no {key}: it cannot be told that the feature '
                f'maps are {list(new)} wide instead of {list(old)}.'
            )
        return []
    changed = changed_widths(value, list(old), list(new), f'{place}.{key}')
    if changed == (list(value) if isinstance(value, Sequence) else value):
        return []
    reader[key] = changed
    return [Change(f'{place}.{key}', value, changed)]


def changed_widths(
    value: int | Sequence[int], old: Sequence[int], new: Sequence[int], where: str
) -> Any:
    """The new width, or widths, for what was said in terms of the old ones.

    Args:
        value: What was said: of all maps, the finest or the coarsest first, or of the coarsest.
        old: Widths of the maps it was said of.
        new: Widths of others.
        where: Its key.

    Raises:
        UserError: It is no such thing.
    """
    old, new = list(old), list(new)
    if isinstance(value, Sequence):
        if len(value) != len(new):
            raise UserError(
                f'{where} is for {len(value)} feature maps, the backbone gives {len(new)}; set '
                'model.backbone.out_indices.'
            )
        deepest_first = list(value) == old[::-1] and list(value) != old
        return new[::-1] if deepest_first else new
    if value != old[-1]:
        if old == new:
            return value
        raise UserError(
            f'{where} is {value}, which is not the width {old[-1]} of the feature map it should '
            f'read: it is not known what becomes of it at {new[-1]}.'
        )
    return new[-1]
