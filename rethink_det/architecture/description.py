"""Architectures in words: what one is, and how two differ."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rethink_det.architecture.channel_indices import Kept, as_ranges
from rethink_det.files import plain

if TYPE_CHECKING:
    from rethink_det.architecture.pruned_architecture import PrunedArchitecture


def differences(one: 'PrunedArchitecture', other: 'PrunedArchitecture') -> list[str]:
    """What differs, a readable line each; empty if the architectures are equal."""
    lines = [
        f'{key}: {_field(getattr(one, key))} != {_field(getattr(other, key))}'
        for key in ('backbone', 'head', 'input_shape')
        if getattr(one, key) != getattr(other, key)
    ]
    for key, what in (('channels', ''), ('selections', ' reads')):
        mine, theirs = getattr(one, key), getattr(other, key)
        lines += [
            f'{layer}{what}: {_kept(mine.get(layer))} != {_kept(theirs.get(layer))}'
            for layer in dict.fromkeys([*mine, *theirs])
            if mine.get(layer) != theirs.get(layer)
        ]
    if one.coupled != other.coupled:
        lines.append(f'coupled: {one.coupled} != {other.coupled}')
    for block in sorted({*one.removed_blocks} ^ {*other.removed_blocks}):
        gone = block in one.removed_blocks
        lines.append(f'{block}: {"removed != whole" if gone else "whole != removed"}')
    if one.masks != other.masks:
        mine, theirs = one.masks.get('digest'), other.masks.get('digest')
        lines.append(f'masks: {mine or "none"} != {theirs or "none"}')
    return lines


def compact(one: 'PrunedArchitecture') -> dict[str, Any]:
    """As :meth:`PrunedArchitecture.to_dict`, for a config: indices are texts, ``'0-3,5'``."""
    values = one.to_dict()
    for key in ('channels', 'selections'):
        for layer, kept in values.get(key, {}).items():
            if not isinstance(kept, int):
                values[key][layer] = as_ranges(kept)
    return values


def text(one: 'PrunedArchitecture') -> str:
    """One line a layer that lost something."""
    title = one.name or one.backbone['type']
    backbone, head = _field(one.backbone), _field(one.head)
    lines = [f'{title}: {backbone}, head {head}, input {one.input_shape}']
    width = max([len(layer) for layer in one.channels], default=0)
    lines += [
        f'  {layer:<{width}}  {one.kept(layer):>4} of {one.widths[layer]}' for layer in one.channels
    ]
    lines += [
        f'  {layer} reads {len(kept)} of {one.inputs(layer)} channels'
        for layer, kept in one.selections.items()
    ]
    lines += [f'  {block} has no residual branch' for block in one.removed_blocks]
    lines += [
        f'  {name} keeps {kept:,} of {size:,} weights'
        for name, (kept, size) in one.masked().items()
    ]
    whole = len(one.widths) - len(one.channels)
    return '\n'.join([*lines, f'  {whole} of {len(one.widths)} layers have all channels'])


def _field(value: Any) -> Any:
    """A config as it is written in a file."""
    return plain(value) if isinstance(value, Mapping) else value


def _kept(kept: Kept | None) -> str:
    if kept is None:
        return 'whole'
    return str(kept) if isinstance(kept, int) else f'{len(kept)} {list(kept)}'
