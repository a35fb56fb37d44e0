"""The central value: an architecture, that is a network without weights."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from rethink_det.architecture import cost as costing
from rethink_det.architecture import published
from rethink_det.architecture.checkpoint import load_checkpoint, load_exactly
from rethink_det.architecture.network import RUNTIME_KEYS, Network, build_backbone, build_head
from rethink_det.architecture.surgery import Surgeon, fresh_weights
from rethink_det.errors import UserError
from rethink_det.files import plain, save_json

FORMAT = 'rethink_det.architecture'
VERSION = 1
_FIELDS = {'format', 'version', 'backbone', 'head', 'input_shape', 'channels', 'name', 'source'}

Kept = int | tuple[int, ...]


@dataclass(frozen=True)
class PrunedArchitecture:
    """A base network and what was kept of it. Comparable, printable, a JSON file.

    Attributes:
        backbone: Registry config of the unpruned backbone, ``dict(type='mmdet.ResNet',
            depth=34)``. Settings of a training run (``frozen_stages``, ``norm_eval``, ...)
            are no part of it: pass them to :meth:`build`.
        head: Registry config of the classification head, without its input width.
        input_shape: ``(channels, height, width)`` that costs are counted at.
        channels: Convolution name to what it keeps of its output channels: a count, or
            sorted indices when inherited from a parent. Unlisted layers are whole.
        name: What people call it, ``'resnet56-a'``. Not compared.
        source: Where the widths come from. Not compared.
    """

    backbone: Mapping
    head: Mapping
    input_shape: tuple[int, int, int]
    channels: Mapping[str, Kept] = field(default_factory=dict)
    name: str = field(default='', compare=False)
    source: str = field(default='', compare=False)

    def __post_init__(self) -> None:
        for key in ('backbone', 'head', 'channels'):
            if not isinstance(getattr(self, key), Mapping):
                raise UserError(f'{key} must be a dict, got {getattr(self, key)!r}.')
        backbone = {k: v for k, v in self.backbone.items() if k not in RUNTIME_KEYS}
        normal = {
            'backbone': plain(backbone),
            'head': plain(self.head),
            'input_shape': _input_shape(self.input_shape),
            'channels': {layer: _kept(layer, kept) for layer, kept in self.channels.items()},
        }
        for key, value in normal.items():
            object.__setattr__(self, key, value)

    # -- reading and writing ---------------------------------------------------------------

    @classmethod
    def load(
        cls, source: 'PrunedArchitecture | Mapping | str | os.PathLike'
    ) -> 'PrunedArchitecture':
        """Take an architecture from wherever it is.

        Args:
            source: An architecture, its dict, the name of a published one, a JSON file, or
                a checkpoint of this package.

        Raises:
            UserError: The source does not exist or holds no valid architecture; names the
                file, the layer and what would be valid.
        """
        if isinstance(source, cls):
            return source
        if isinstance(source, Mapping):
            return cls.from_dict(source)
        text = os.fspath(source)
        if text in published.names():
            return cls.from_dict(published.read(text), text)
        if not os.path.isfile(text):
            raise UserError(
                f'No architecture {text!r}: neither a file nor one of the published '
                f'{", ".join(published.names())}.'
            )
        if text.endswith('.json'):
            return cls.from_dict(_read_json(text), text)
        meta = load_checkpoint(text).get('meta') or {}
        if 'architecture' not in meta:
            raise UserError(
                f"{text} does not describe its architecture (no meta['architecture']): it was "
                'not written by rethink_det. Give the architecture by name or JSON file.'
            )
        return cls.from_dict(meta['architecture'], text)

    @classmethod
    def from_dict(cls, data: Mapping, where: str = 'architecture') -> 'PrunedArchitecture':
        """Inverse of :meth:`to_dict`; checked against the base network.

        Raises:
            UserError: Wrong format or version, unknown key or layer, impossible width.
        """
        if data.get('format', FORMAT) != FORMAT:
            raise UserError(f'{where}: format is {data["format"]!r}, expected {FORMAT!r}.')
        if data.get('version', VERSION) != VERSION:
            raise UserError(
                f'{where}: version {data["version"]!r} is unknown; this release reads {VERSION}.'
            )
        unknown, missing = set(data) - _FIELDS, {'backbone', 'head', 'input_shape'} - set(data)
        if unknown or missing:
            raise UserError(
                f'{where}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}; '
                f'valid are {sorted(_FIELDS)}.'
            )
        try:
            spec = cls(**{k: v for k, v in data.items() if k not in ('format', 'version')})
            spec._check_layers()
        except UserError as error:
            raise UserError(f'{where}: {error}') from None
        return spec

    def to_dict(self) -> dict:
        """Plain dict/list/str/int, with format and version: JSON, or a checkpoint's meta."""
        return {
            'format': FORMAT,
            'version': VERSION,
            'name': self.name,
            'source': self.source,
            'backbone': plain(self.backbone),
            'head': plain(self.head),
            'input_shape': list(self.input_shape),
            'channels': plain(self.channels),
        }

    def save(self, path: str | os.PathLike) -> None:
        """Write the JSON file, atomically."""
        save_json(self.to_dict(), path)

    # -- networks --------------------------------------------------------------------------

    def build(self, **settings) -> nn.Module:
        """The backbone of this architecture with fresh weights for its own widths.

        The result is an ordinary instance of the base class (``mmdet.ResNet``, say) with
        narrower layers: parameter names and speed are those of the plain backbone. It
        carries this value as its attribute ``architecture``.

        Args:
            **settings: Training settings of the base class, such as ``frozen_stages``.

        Raises:
            UserError: A layer cannot be cut as asked.
        """
        backbone = self._shaped(**settings)
        fresh_weights(backbone)
        return backbone

    def build_network(self) -> Network:
        """Backbone and head with fresh weights, as one classification network."""
        return self._with_head(self.build())

    def _shaped(self, **settings) -> nn.Module:
        """The backbone in its final shape, whatever its weights."""
        backbone = build_backbone({**self.backbone, **settings})
        if self.channels:
            self._cut(backbone)
        backbone.architecture = self
        return backbone

    def _with_head(self, backbone: nn.Module) -> Network:
        return Network(backbone, build_head(self.head, backbone, self.input_shape))

    def inherit(self, parent_state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Inherited weights: the parent's, cut to this architecture.

        Args:
            parent_state: State dict of the unpruned network, names ``backbone.*`` and
                ``head.*``.

        Raises:
            UserError: The state dict does not fit the base network (names the first layer
                that differs), or the architecture says how many channels it keeps but not
                which.
        """
        counted = [layer for layer, kept in self.channels.items() if isinstance(kept, int)]
        if counted:
            raise UserError(
                f'{self.name or "The architecture"} says how many channels {counted[0]} keeps, '
                'not which: prune the parent to this target to choose them.'
            )
        network = self.base.build_network()
        load_exactly(network, parent_state)
        self._cut(network, prefix='backbone.')
        return {name: tensor.detach() for name, tensor in network.state_dict().items()}

    def _cut(self, model: nn.Module, prefix: str = '') -> None:
        surgeon = Surgeon(model, self.input_shape, prefix)
        keep = {
            layer: tuple(range(kept)) if isinstance(kept, int) else kept
            for layer, kept in self.channels.items()
        }
        surgeon.cut(keep)

    # -- facts -----------------------------------------------------------------------------

    @property
    def base(self) -> 'PrunedArchitecture':
        """The unpruned parent."""
        return replace(self, channels={}, name='', source='')

    @cached_property
    def widths(self) -> dict[str, int]:
        """Output channels of every convolution of the *unpruned* backbone, in order."""
        with torch.device('meta'):
            backbone = build_backbone(self.backbone)
        return {n: m.out_channels for n, m in backbone.named_modules() if isinstance(m, nn.Conv2d)}

    def kept(self, layer: str) -> int:
        """How many output channels ``layer`` keeps."""
        kept = self.channels.get(layer, self.widths[layer])
        return kept if isinstance(kept, int) else len(kept)

    def shape(self) -> 'PrunedArchitecture':
        """The same widths without the indices: what training from scratch needs."""
        return replace(self, channels={layer: self.kept(layer) for layer in self.channels})

    def cost(self, input_shape: Sequence[int] | None = None) -> costing.Cost:
        """Parameters and MACs of the classification network (backbone and head)."""
        shape = _input_shape(input_shape or self.input_shape)
        return costing.count(self._with_head(self._shaped()), shape)

    def diff(self, other: 'PrunedArchitecture') -> list[str]:
        """What differs, a readable line each; empty if the architectures are equal."""
        lines = [
            f'{key}: {getattr(self, key)} != {getattr(other, key)}'
            for key in ('backbone', 'head', 'input_shape')
            if getattr(self, key) != getattr(other, key)
        ]
        for layer in dict.fromkeys([*self.channels, *other.channels]):
            mine, theirs = self.channels.get(layer), other.channels.get(layer)
            if mine != theirs:
                lines.append(f'{layer}: {_describe(mine)} != {_describe(theirs)}')
        return lines

    @property
    def digest(self) -> str:
        """SHA-256 of everything that is compared; 16 hex digits."""
        content = {k: v for k, v in self.to_dict().items() if k not in ('name', 'source')}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def __hash__(self) -> int:
        return hash(self.digest)

    def __str__(self) -> str:
        title = self.name or self.backbone['type']
        lines = [f'{title}: {self.backbone}, head {self.head}, input {self.input_shape}']
        width = max([len(layer) for layer in self.channels], default=0)
        lines += [
            f'  {layer:<{width}}  {self.kept(layer):>4} of {self.widths[layer]}'
            for layer in self.channels
        ]
        whole = len(self.widths) - len(self.channels)
        return '\n'.join([*lines, f'  {whole} of {len(self.widths)} convolutions are whole'])

    def _check_layers(self) -> None:
        widths = self.widths  # builds the base network: refuses a backbone that cannot be
        for layer, kept in self.channels.items():
            if layer not in widths:
                raise UserError(
                    f'{self.backbone["type"]} has no layer {layer!r}; it has {", ".join(widths)}.'
                )
            if isinstance(kept, int) and kept > widths[layer]:
                raise UserError(
                    f'layer {layer} would keep {kept} channels; valid are 1 to {widths[layer]}.'
                )
            if not isinstance(kept, int) and kept[-1] >= widths[layer]:
                raise UserError(
                    f'layer {layer} would keep channel {kept[-1]}; valid are 0 to '
                    f'{widths[layer] - 1}.'
                )


Source = PrunedArchitecture | Mapping | str | os.PathLike
"""An architecture, its dict, a published name, a JSON file or a checkpoint."""


def _input_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    listed = isinstance(shape, (list, tuple)) and len(shape) == 3
    if not listed or not all(isinstance(n, int) and n > 0 for n in shape):
        raise UserError(f'input_shape must be (channels, height, width), got {shape!r}.')
    return tuple(shape)


def _kept(layer: str, kept: Kept | Sequence[int]) -> Kept:
    if _is_int(kept):
        if kept < 1:
            raise UserError(f'layer {layer} would keep {kept} channels; at least 1 must remain.')
        return kept
    if not isinstance(kept, (list, tuple)) or not all(_is_int(i) for i in kept):
        raise UserError(f'layer {layer}: kept must be a count or a list of indices, got {kept!r}.')
    if not kept or list(kept) != sorted(set(kept)) or kept[0] < 0:
        raise UserError(
            f'layer {layer}: kept indices must be sorted, different, at least one and not '
            f'negative, got {list(kept)}.'
        )
    return tuple(kept)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _describe(kept: Kept | None) -> str:
    if kept is None:
        return 'whole'
    return str(kept) if isinstance(kept, int) else f'{len(kept)} {list(kept)}'


def _read_json(path: str | os.PathLike) -> Mapping:
    try:
        data = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise UserError(f'{path} is no architecture JSON: {error}') from None
    if not isinstance(data, dict):
        raise UserError(f'{path} is no architecture JSON: it holds a {type(data).__name__}.')
    return data
