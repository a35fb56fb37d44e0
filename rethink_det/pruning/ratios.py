"""Which layers lose how many channels: ratios by pattern, skipped layers, targets."""

import warnings
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from math import lcm

from rethink_det.architecture import PrunedArchitecture
from rethink_det.arms import ARMS, CLASSIFICATION
from rethink_det.errors import UserError, shown
from rethink_det.pruning.ranking import check_ratio, fewest_count

Ratios = float | Mapping[str, float]


def num_keep(width: int, ratio: float) -> int:
    """``int(width * (1 - ratio))``: truncated, as the published networks are.

    Source: the first list of widths of arXiv 1608.08710's networks as trained by
    arXiv 1810.05270 (16 at 0.1 is 14, 128 at 0.3 is 89).
    """
    return int(width * (1 - ratio))


def by_pattern(ratios: Ratios) -> dict[str, float]:
    """Ratios by layer name pattern; raises :class:`UserError` for one outside [0, 1)."""
    patterns = dict(ratios) if isinstance(ratios, Mapping) else {'*': ratios}
    for pattern, ratio in patterns.items():
        check_ratio(f'The ratio of {shown(pattern)}', ratio)
    return patterns


def ratio_of(layer: str, patterns: Mapping[str, float]) -> float:
    """That of the first pattern that matches; 0 if none does."""
    return next((ratio for pattern, ratio in patterns.items() if fnmatchcase(layer, pattern)), 0)


def matches(layer: str, patterns: Sequence[str]) -> bool:
    """Whether any of the patterns does."""
    return any(fnmatchcase(layer, pattern) for pattern in patterns)


def targets_from_ratios(
    widths: Mapping[str, int],
    ratios: Ratios,
    skip: Sequence[str] = (),
    min_channels: int = 1,
    multiples: Mapping[str, int] | None = None,
    round_to: int = 1,
) -> dict[str, int]:
    """Channels to keep, for every layer that loses some.

    Args:
        widths: Prunable layers and their widths, in network order.
        ratios: Share of channels to remove, in [0, 1): one for all, or by layer name
            pattern (``{'layer1.*': 0.3}``). A layer takes the first pattern that matches.
        skip: Patterns of layers left whole.
        min_channels: Fewest channels a layer keeps; reached with a warning.
        multiples: By layer, of what it keeps a multiple, the next that is no fewer; said by a
            warning where that is more than asked.
        round_to: Of what all layers keep a multiple besides, the next that is no fewer.

    Raises:
        UserError: A ratio outside [0, 1), or a pattern that matches no prunable layer.
    """
    patterns = by_pattern(ratios)
    for pattern in [*patterns, *skip]:
        if not any(fnmatchcase(layer, pattern) for layer in widths):
            raise UserError(
                f'{pattern!r} matches no prunable layer; they are {", ".join(widths) or "none"}.'
            )
    targets = {}
    rounded = []
    for layer, width in widths.items():
        ratio = ratio_of(layer, patterns)
        if matches(layer, skip):
            continue
        claim = f'A ratio of {ratio} would leave {layer}'
        kept = fewest_count(num_keep(width, ratio), width, min_channels, claim)
        multiple = (multiples or {}).get(layer, 1)
        wanted = kept
        kept = min(width, kept + -kept % lcm(multiple, round_to))
        if wanted % multiple:
            rounded.append(f'{layer} {kept} for {wanted} (groups: {multiple})')
        if kept < width:
            targets[layer] = kept
    if rounded:
        warnings.warn(
            f'{len(rounded)} layers keep more channels than asked, so that the groups of their '
            f'GroupNorm stay equal: {", ".join(rounded)}.',
            stacklevel=2,
        )
    return targets


SELECTS = 'selects channels'


def beside_widths(base: PrunedArchitecture, target: PrunedArchitecture) -> dict[str, bool]:
    """Whether ``target`` differs from ``base`` otherwise than in widths, by how."""
    return {
        SELECTS: target.selections != base.selections,
        'lacks blocks': target.removed_blocks != base.removed_blocks,
        'has weight masks': bool(target.masks),
    }


def targets_from_architecture(
    base: PrunedArchitecture, target: PrunedArchitecture, selects: bool = False
) -> dict[str, int]:
    """Channels to keep so that ``base`` gets the widths of ``target``.

    Args:
        base: What is pruned.
        target: What it shall look like.
        selects: Whether the caller sees to the channels that a layer selects from its input.

    Raises:
        UserError: The target has other layers, is wider than ``base`` somewhere, or lacks more
            than channels.
    """
    name = target.name or target.backbone['type']
    for what, wrong in beside_widths(base, target).items():
        if wrong and not (selects and what == SELECTS):
            scratch = [arm.name for arm in ARMS.candidates(CLASSIFICATION)]
            raise UserError(
                f'The target {name} {what}, which this method does not bring about: take the '
                f'method it is from, or train it from scratch (--arm {", ".join(scratch)}).'
            )
    if base.widths != target.widths:
        mine, theirs = base.widths, target.widths
        layer = next(n for n in [*theirs, *mine] if mine.get(n) != theirs.get(n))
        raise UserError(
            f'The target {name} is cut from another network: layer '
            f'{layer} is {theirs.get(layer)} wide there and {mine.get(layer)} here.'
        )
    targets = {}
    for layer in base.widths:
        has, wants = base.kept(layer), target.kept(layer)
        if wants > has:
            raise UserError(
                f'The target {name} wants {wants} channels in {layer}; only {has} are left.'
            )
        if wants < has:
            targets[layer] = wants
    return targets
