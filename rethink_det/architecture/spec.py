"""The central value: an architecture, that is a network without weights."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from torch import Tensor, nn

from rethink_det.architecture import cost as costing
from rethink_det.architecture import description, reading, validation
from rethink_det.architecture import masks as masking
from rethink_det.architecture.blocks import residual_blocks
from rethink_det.architecture.checkpoint import load_exactly
from rethink_det.architecture.cut import Cut, full_name
from rethink_det.architecture.initialization import fresh_weights
from rethink_det.architecture.network import (
    RUNTIME_KEYS,
    Network,
    build_backbone,
    build_head,
    build_network,
    without_memory,
)
from rethink_det.architecture.selection import inputs_of, readable
from rethink_det.architecture.surgery import HEAD, Surgeon
from rethink_det.architecture.validation import Kept
from rethink_det.errors import UserError
from rethink_det.files import plain, save_json


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
            sorted indices when inherited from a parent. Unlisted layers are whole. Hidden
            layers of the head are named ``'head.*'``.
        selections: Layer to the sorted indices of the inputs it reads, where the stream it
            reads from stays whole (see :mod:`.selection`).
        removed_blocks: Residual blocks without their residual branch.
        masks: Unstructured pruning: ``dict(digest=..., kept={parameter: count})``. The masks
            themselves are in the checkpoint (see :mod:`.masks`).
        name: What people call it, ``'resnet56-a'``. Not compared.
        source: Where the widths come from. Not compared.
    """

    backbone: Mapping
    head: Mapping
    input_shape: tuple[int, int, int]
    channels: Mapping[str, Kept] = field(default_factory=dict)
    selections: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    removed_blocks: tuple[str, ...] = ()
    masks: Mapping = field(default_factory=dict)
    name: str = field(default='', compare=False)
    source: str = field(default='', compare=False)

    def __post_init__(self) -> None:
        for key in ('backbone', 'head', 'channels', 'selections', 'masks'):
            if not isinstance(getattr(self, key), Mapping):
                raise UserError(f'{key} must be a dict, got {getattr(self, key)!r}.')
        backbone = {k: v for k, v in self.backbone.items() if k not in RUNTIME_KEYS}
        normal = {
            'backbone': plain(backbone),
            'head': plain(self.head),
            'input_shape': validation.input_shape(self.input_shape),
            'channels': {
                layer: validation.kept(layer, kept) for layer, kept in self.channels.items()
            },
            'selections': {n: validation.indices(n, kept) for n, kept in self.selections.items()},
            'removed_blocks': tuple(self.removed_blocks),
            'masks': validation.masks(self.masks),
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
        return cls.from_dict(*reading.read(source))

    @classmethod
    def from_dict(cls, data: Mapping, where: str = 'architecture') -> 'PrunedArchitecture':
        """Inverse of :meth:`to_dict`; checked against the base network.

        Raises:
            UserError: Wrong format or version, unknown key or layer, impossible width.
        """
        reading.check_format(data, where)
        try:
            spec = cls(**{k: v for k, v in data.items() if k not in ('format', 'version')})
            spec._check_layers()
        except UserError as error:
            raise UserError(f'{where}: {error}') from None
        return spec

    def to_dict(self) -> dict:
        """Plain dict/list/str/int, with format and version: JSON, or a checkpoint's meta."""
        optional = {key: plain(getattr(self, key)) for key in reading.OPTIONAL}
        return {
            'format': reading.FORMAT,
            'version': reading.VERSION,
            'name': self.name,
            'source': self.source,
            'backbone': plain(self.backbone),
            'head': plain(self.head),
            'input_shape': list(self.input_shape),
            'channels': plain(self.channels),
            **{key: value for key, value in optional.items() if value},
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
            **settings: Training settings of the base class, such as ``frozen_stages``. Stages
                that they leave out (``num_stages=3``) are left out of the surgery, too.

        Raises:
            UserError: A layer cannot be cut as asked.
        """
        backbone = self._shaped(**settings)
        fresh_weights(backbone)
        return backbone

    def build_network(self) -> Network:
        """Backbone and head with fresh weights, as one classification network."""
        network = self._with_head(self.build())
        fresh_weights(network.head)
        return network

    def network_with(self, state: Mapping[str, Tensor]) -> Network:
        """The classification network with given weights; no random ones are drawn.

        Args:
            state: State dict of exactly this network; its tensors are copied.

        Raises:
            UserError: The state dict is of another architecture (names the tensor).
        """
        network = self.skeleton()
        load_exactly(network, {name: tensor.clone() for name, tensor in state.items()}, assign=True)
        return network.float()

    def skeleton(self) -> Network:
        """The network in its final shape; its weights have no memory, or random values."""
        network = deepcopy(_unpruned(self.base))
        cut = self._as_cut()
        if cut.layers() or cut.blocks:
            cut.apply(Surgeon(network, self.input_shape, 'backbone.'))
        network.backbone.architecture = self
        return network

    def _shaped(self, **settings) -> nn.Module:
        """The backbone in its final shape, whatever its weights."""
        backbone = build_backbone({**self.backbone, **settings})
        cut = self._as_cut(head=False)
        if 'num_stages' in settings:
            cut = cut.within(backbone)
        if cut.layers() or cut.blocks:
            cut.apply(Surgeon(backbone, self.input_shape))
        backbone.architecture = self
        return backbone

    def build_head(self, backbone: nn.Module) -> nn.Module:
        """The head on such a backbone, with its own initial weights.

        Raises:
            UserError: The backbone is not of this architecture.
        """
        return self._with_head(backbone).head

    def _with_head(self, backbone: nn.Module) -> Network:
        network = Network(backbone, build_head(self.head, backbone, self.input_shape))
        cut = self._as_cut(head=True)
        if cut.layers():
            cut.apply(Surgeon(network, self.input_shape, 'backbone.'))
        return network

    def inherit(
        self, parent_state: Mapping[str, Tensor], masks: Mapping[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Inherited weights: the parent's, cut to this architecture.

        Args:
            parent_state: State dict of the unpruned network, names ``backbone.*`` and
                ``head.*``.
            masks: The weight masks, of an unstructured architecture.

        Raises:
            UserError: The state dict does not fit the base network (names the first layer
                that differs), the architecture says how many channels it keeps but not
                which, or the masks are missing or not its own.
        """
        counted = [layer for layer, kept in self.channels.items() if isinstance(kept, int)]
        if counted:
            raise UserError(
                f'{self.name or "The architecture"} says how many channels {counted[0]} keeps, '
                'not which: prune the parent to this target to choose them.'
            )
        self.check_masks(masks or {})
        network = self.base.network_with(parent_state)
        cut = replace(self._as_cut(), masks=masks or {})
        cut.apply(Surgeon(network, self.input_shape, 'backbone.'))
        return {name: tensor.detach() for name, tensor in network.state_dict().items()}

    def check_masks(self, masks: Mapping[str, Tensor]) -> None:
        """Refuse weight masks that are not this architecture's.

        Raises:
            UserError: The architecture is masked otherwise, or not at all.
        """
        wants, has = self.masks.get('digest'), masking.digest(masks) if masks else None
        if wants != has:
            raise UserError(
                f'The architecture has the weight masks {wants or "none"}, got {has or "none"}: '
                'they are in the checkpoint that pruning wrote.'
            )

    def _as_cut(self, head: bool | None = None) -> Cut:
        """What is missing, as surgery on the base; of the head, of the backbone, or of both."""

        def wanted(layer: str) -> bool:
            return head is None or layer.startswith(HEAD) == head

        return Cut(
            channels={
                layer: tuple(range(kept)) if isinstance(kept, int) else kept
                for layer, kept in self.channels.items()
                if wanted(layer)
            },
            selections={layer: kept for layer, kept in self.selections.items() if wanted(layer)},
            blocks=() if head else self.removed_blocks,
        )

    def after(self, cut: Cut) -> 'PrunedArchitecture':
        """This architecture after a further cut, which is said in terms of what it has now.

        Raises:
            UserError: Channels of a network with weight masks cannot be cut.
        """
        if self.masks and (cut.channels or cut.selections or cut.blocks):
            raise UserError('A network with weight masks cannot lose channels or blocks any more.')
        channels, selections = dict(self.channels), dict(self.selections)
        for layer, kept in cut.channels.items():
            before = channels.get(layer, tuple(range(self.widths[layer])))
            counted = isinstance(before, int)
            channels[layer] = len(kept) if counted else tuple(before[i] for i in kept)
        for layer, kept in cut.selections.items():
            before = selections.get(layer)
            selections[layer] = tuple(kept) if before is None else tuple(before[i] for i in kept)
        gone = tuple(f'{block}.' for block in cut.blocks)
        channels = {n: kept for n, kept in channels.items() if not gone or not n.startswith(gone)}
        order = {layer: place for place, layer in enumerate(self.widths)}
        return replace(
            self,
            channels=dict(sorted(channels.items(), key=lambda item: order[item[0]])),
            selections=selections,
            removed_blocks=(*self.removed_blocks, *cut.blocks),
            masks=masking.describe(cut.masks) if cut.masks else self.masks,
            name='',
            source='',
        )

    # -- facts -----------------------------------------------------------------------------

    @property
    def base(self) -> 'PrunedArchitecture':
        """The unpruned parent."""
        return PrunedArchitecture(self.backbone, self.head, self.input_shape)

    @cached_property
    def widths(self) -> dict[str, int]:
        """Output channels of every layer of the *unpruned* network that can lose some, in order:
        the backbone's convolutions and the hidden linear layers of the head."""
        network = _unpruned(self.base)
        convs = {
            n: m.out_channels
            for n, m in network.backbone.named_modules()
            if isinstance(m, nn.Conv2d)
        }
        linears = [
            (n, m.out_features) for n, m in network.head.named_modules() if isinstance(m, nn.Linear)
        ]
        return {**convs, **{HEAD + name: width for name, width in linears[:-1]}}

    def kept(self, layer: str) -> int:
        """How many output channels ``layer`` keeps."""
        kept = self.channels.get(layer, self.widths[layer])
        return kept if isinstance(kept, int) else len(kept)

    def masked(self) -> dict[str, tuple[int, int]]:
        """Weights kept and weights in all of every parameter under a mask."""
        if not self.masks:
            return {}
        sizes = {name: p.numel() for name, p in self.skeleton().named_parameters()}
        return {name: (kept, sizes[name]) for name, kept in self.masks['kept'].items()}

    def shape(self) -> 'PrunedArchitecture':
        """The same widths without the indices: what training from scratch needs.

        Selections, removed blocks and masks stay: they are shape, too.
        """
        return replace(self, channels={layer: self.kept(layer) for layer in self.channels})

    def cost(self, input_shape: Sequence[int] | None = None) -> costing.Cost:
        """Parameters and MACs of the classification network (backbone and head).

        Weights that a mask removes are counted neither as parameters nor as MACs; the
        indices of selections and the masks themselves are no parameters.
        """
        shape = validation.input_shape(input_shape or self.input_shape)
        return costing.count(self.skeleton(), shape, self.masks.get('kept'))

    def diff(self, other: 'PrunedArchitecture') -> list[str]:
        """What differs, a readable line each; empty if the architectures are equal."""
        return description.differences(self, other)

    @property
    def digest(self) -> str:
        """SHA-256 of everything that is compared; 16 hex digits."""
        left_out = ('name', 'source', 'version')
        content = {k: v for k, v in self.to_dict().items() if k not in left_out}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def __hash__(self) -> int:
        return hash(self.digest)

    def __str__(self) -> str:
        return description.text(self)

    def inputs(self, layer: str) -> int:
        """How many input channels ``layer`` has in the unpruned network."""
        return inputs_of(readable(_unpruned(self.base), full_name(layer, 'backbone.')))

    def _check_layers(self) -> None:
        widths = self.widths  # builds the base network: refuses a backbone that cannot be
        blocks = [n.removeprefix('backbone.') for n in residual_blocks(_unpruned(self.base))]
        stranger = next((name for name in self.removed_blocks if name not in blocks), None)
        if stranger:
            raise UserError(
                f'{self.backbone["type"]} has no residual block {stranger!r}; it has '
                f'{", ".join(blocks) or "none"}.'
            )
        for layer, kept in self.channels.items():
            if layer not in widths:
                raise UserError(
                    f'{self.backbone["type"]} has no layer {layer!r}; it has {", ".join(widths)}.'
                )
            validation.check_range(f'layer {layer} would keep', kept, widths[layer])
        for layer, kept in self.selections.items():
            validation.check_range(f'layer {layer} would read', kept, self.inputs(layer))


@lru_cache(maxsize=8)
def _unpruned(base: PrunedArchitecture) -> Network:
    """The unpruned network, without memory behind its weights where it can be built so."""
    return without_memory(lambda: build_network(base.backbone, base.head, base.input_shape))
