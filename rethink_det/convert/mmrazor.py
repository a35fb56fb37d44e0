"""What mmrazor says of a pruned network: its ``fix_subnet`` files and choice templates.

Four forms, all of them a dict by name (facts of mmrazor 0.3 to 1.0, its documentation and its
configs):

* mutator: ``{type, channel_unit_cfg: {type, units}}``, where ``units`` is one of the next;
* units: ``'backbone.layer1.0.conv1_(0, 64)_64': {init_args, choice}``, or the choice alone; a
  whole number is a count, a float a share of the channels;
* mutables: ``'backbone.conv1.mutable_attrs.out_channels': {chosen}`` or ``[chosen, meta]``;
* layers (0.x): ``'backbone.conv1': {out_channels, raw_out_channels, ...}``.

A unit stands for all layers that are added to its first one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.channel_indices import Kept
from rethink_det.architecture.network import BACKBONE
from rethink_det.architecture.surgery import Surgeon
from rethink_det.bounds import is_int
from rethink_det.convert.known_networks import shapes_of
from rethink_det.convert.tensor_names import own_layer, weight_of
from rethink_det.errors import UserError

UNIT = re.compile(r'(?P<layer>.+)_\((?P<start>\d+), ?(?P<end>\d+)\)_\w+')
ATTRIBUTE = '.mutable_attrs.'
OUTPUTS = ('out_channels', 'out_features')
FOLLOWING = ('in_channels', 'in_features', 'num_features')
SEQUENTIAL = (
    'SequentialMutableChannelUnit',
    'OneShotMutableChannelUnit',
    'SlimmableChannelUnit',
    'DMCPChannelUnit',
)
"""Units that keep the *first* channels. Of the others the file says how many, not which."""

ROUNDING = {'divisor': 1, 'min_value': 1, 'min_ratio': 0.9}
"""Settings of a unit that its choice is rounded by, and their usual values."""


@dataclass(frozen=True)
class Choice:
    """How many output channels of a layer are kept, of how many (0: not said)."""

    layer: str
    kept: int
    width: int


def is_mmrazor(content: Any) -> bool:
    """Whether a file's content may be one of the four forms."""
    return isinstance(content, Mapping) and all(isinstance(key, str) for key in content)


def read_choices(content: Mapping, parent: PrunedArchitecture, where: str) -> dict[str, Kept]:
    """What each narrower layer keeps: the indices of the first channels, or a count.

    Args:
        content: Of the file.
        parent: The unpruned network.
        where: The file, for messages.

    Raises:
        UserError: Something else than channel choices, or of another network.
    """
    config = _dict(content.get('channel_unit_cfg', {'units': content}))
    surgeon = Surgeon(parent.skeleton(), parent.input_shape, BACKBONE)
    shapes = shapes_of(parent)
    counts: dict[str, int] = {}
    for choice in _choices(config.get('units'), _dict(config.get('default_args')), where):
        layer = own_layer(choice.layer, shapes)
        if choice.kept == choice.width or (layer and len(shapes[weight_of(layer)]) < 2):
            continue  # whole, or a BatchNorm, which follows its convolution
        for member in surgeon.group(_checked(choice, layer, parent, where)).members:
            if counts.setdefault(member, choice.kept) != choice.kept:
                raise UserError(f'{where}: {member} keeps {counts[member]} and {choice.kept}.')
    kept = {n: count for n, count in counts.items() if count < parent.widths[n]}
    first = config.get('type') in SEQUENTIAL
    return {n: tuple(range(count)) if first else count for n, count in kept.items()}


def _dict(value: Any) -> Mapping:
    """An optional part of a file."""
    return value if isinstance(value, Mapping) else {}


def _checked(choice: Choice, layer: str | None, parent: PrunedArchitecture, where: str) -> str:
    """The layer of a choice; refuses one that is not there, or has another width."""
    width = 0 if layer is None else parent.widths.get(layer, 0)
    if layer is None or not width or choice.width not in (0, width):
        raise UserError(
            f'{where}: it keeps {choice.kept} of {choice.width} channels of {choice.layer}, which '
            f'in {parent.name or "the base"} {f"has {width}" if width else "does not exist"}.'
        )
    if choice.kept > width:
        raise UserError(f'{where}: {choice.layer} would keep {choice.kept} of {width} channels.')
    return layer


def _choices(units: Any, default: Mapping, where: str) -> Iterator[Choice]:
    if not isinstance(units, Mapping):
        raise UserError(f'{where}: the units of a mutator are a dict by name, got {units!r}.')
    for name, value in units.items():
        unit = UNIT.fullmatch(name)
        layer, _, attribute = name.partition(ATTRIBUTE)
        if unit:
            yield _unit(unit, value, default, f'{where}: {name}')
        elif attribute in OUTPUTS:
            yield _mutable(layer, value, f'{where}: {name}')
        elif isinstance(value, Mapping) and is_int(value.get('raw_out_channels')):
            width = value['raw_out_channels']
            yield Choice(name, _count(value.get('out_channels'), width, {}, where), width)
        elif attribute not in FOLLOWING:
            raise UserError(
                f'{where}: {name!r} is no channel choice. Known are the pruning history of '
                'Torch-Pruning, and the fix_subnet files and choice templates of mmrazor for '
                'channels; not its searched kernel sizes or depths.'
            )


def _unit(unit: re.Match, value: Any, default: Mapping, where: str) -> Choice:
    if unit['start'] != '0':
        raise UserError(f'{where} is a part of a concatenation, which is no layer of its own.')
    whole = value if isinstance(value, Mapping) else {'choice': value}
    settings = {**default, **_dict(whole.get('init_args'))}
    width = int(unit['end'])
    return Choice(unit['layer'], _count(whole.get('choice'), width, settings, where), width)


def _mutable(layer: str, value: Any, where: str) -> Choice:
    pair = [value.get('chosen'), value.get('meta')] if isinstance(value, Mapping) else value
    if not isinstance(pair, (list, tuple)) or len(pair) != 2:
        raise UserError(f'{where}: {value!r} is no choice of a mutable.')
    chosen, meta = pair
    width = _dict(meta).get('max_channels', 0)
    return Choice(layer, _count(chosen, width, {}, where), width)


def _count(choice: Any, width: int, settings: Mapping, where: str) -> int:
    """A choice as mmrazor takes it: a share is rounded down, then to a multiple of ``divisor``."""
    number = is_int(choice) or isinstance(choice, float)
    if not number or choice <= 0 or (isinstance(choice, float) and not width):
        raise UserError(f'{where}: the choice {choice!r} is no number of channels, and no share.')
    rounding = {key: settings.get(key, usual) for key, usual in ROUNDING.items()}
    if not all(isinstance(value, (int, float)) and value > 0 for value in rounding.values()):
        raise UserError(f'{where}: {rounding} must be positive numbers.')
    divisor, least, share = rounding.values()
    count = choice if is_int(choice) else max(1, int(width * choice))
    near = max(divisor, least, int(count + divisor / 2) // divisor * divisor)
    return near + divisor if near < share * count else near
