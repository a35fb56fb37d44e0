"""The central value: an architecture, that is a network without weights."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from rethink_det.architecture import (
    building,
    composing,
    description,
    inheriting,
    layers,
    loading,
    validation,
)
from rethink_det.architecture import cost as counting
from rethink_det.architecture.channel_indices import Kept
from rethink_det.architecture.cut import Cut
from rethink_det.architecture.frozen import FrozenMapping
from rethink_det.architecture.network import Network
from rethink_det.errors import UserError
from rethink_det.files import plain, save_json


@dataclass(frozen=True)
class PrunedArchitecture:
    """A base network and what was kept of it. Comparable, hashable, printable, a JSON file.

    It cannot be changed, nor can anything in it: :func:`dataclasses.replace` makes another.

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
            reads from stays whole (see :mod:`.input_selection`).
        removed_blocks: Residual blocks without their residual branch.
        masks: Unstructured pruning: ``dict(digest=..., kept={parameter: count})``. The masks
            themselves are in the checkpoint (see :mod:`.weight_masks`).
        coupled: Whether channels go with all that is tied to them, see :mod:`.coupling`.
        name: What people call it, ``'resnet56-a'``. Not compared.
        source: Where the widths come from. Not compared.

    Example:
        >>> from rethink_det import PrunedArchitecture
        >>> small = PrunedArchitecture.load('resnet56-a')
        >>> small.cost().params, small.base.cost().params
        (773336, 853018)
        >>> features = small.build()  # the backbone, fresh weights
        >>> small.save('small.json')
        >>> PrunedArchitecture.load('small.json') == small
        True
    """

    backbone: Mapping[str, Any]
    head: Mapping[str, Any]
    input_shape: tuple[int, int, int]
    channels: Mapping[str, Kept] = field(default_factory=dict)
    selections: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    removed_blocks: tuple[str, ...] = ()
    masks: Mapping[str, Any] = field(default_factory=dict)
    coupled: bool = False
    name: str = field(default='', compare=False)
    source: str = field(default='', compare=False)

    def __post_init__(self) -> None:
        for key, value in validation.normal(vars(self)).items():
            object.__setattr__(self, key, value)

    @classmethod
    def load(cls, source: 'PrunedArchitecture | loading.Source') -> 'PrunedArchitecture':
        """Take an architecture from wherever it is.

        Args:
            source: An architecture, its dict, the name of a published one, a JSON file, or
                a checkpoint of this package or its file.

        Raises:
            UserError: The source does not exist or holds no valid architecture; names the
                file, the layer and what would be valid.
        """
        if isinstance(source, PrunedArchitecture):
            return source
        return cls.from_dict(*loading.read(source))

    @classmethod
    def from_dict(cls, data: Mapping, where: str = 'architecture') -> 'PrunedArchitecture':
        """Inverse of :meth:`to_dict`; checked against the base network.

        Raises:
            UserError: Wrong format or version, unknown key or layer, impossible width.
        """
        try:
            architecture = cls(**loading.fields_of(data))
            layers.check(architecture)
        except UserError as error:
            raise UserError(f'{where}: {error}') from None
        return architecture

    def to_dict(self) -> dict[str, Any]:
        """Fresh dict/list/str/int, with format and version: JSON, or a checkpoint's meta."""
        values = {key: plain(getattr(self, key)) for key in loading.FIELDS}
        left_out = {key for key in loading.OPTIONAL if not values[key]}
        return loading.HEADER | {k: v for k, v in values.items() if k not in left_out}

    def to_config(self) -> dict[str, Any]:
        """The same for ``architecture=`` in a config: :func:`.description.compact`."""
        return description.compact(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the JSON file, atomically."""
        save_json(self.to_dict(), path)

    def build(self, **settings: Any) -> nn.Module:
        """The backbone with fresh weights: :func:`.building.fresh_backbone`."""
        return building.fresh_backbone(self, **settings)

    def build_network(self) -> Network:
        """Backbone and head with fresh weights: :func:`.building.fresh_network`."""
        return building.fresh_network(self)

    def build_head(self, backbone: nn.Module) -> nn.Module:
        """The head on such a backbone: :func:`.building.fresh_head`."""
        return building.fresh_head(self, backbone)

    def network_with(self, state: Mapping[str, Tensor]) -> Network:
        """Backbone and head with given weights: :func:`.building.network_with`."""
        return building.network_with(self, state)

    def skeleton(self) -> Network:
        """Backbone and head without weights to speak of: :func:`.building.skeleton`."""
        return building.skeleton(self)

    def inherit(
        self, parent_state: Mapping[str, Tensor], masks: Mapping[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """A parent's weights, cut to this architecture: :func:`.inheriting.inherit`."""
        return inheriting.inherit(self, parent_state, masks or {})

    def after(self, cut: Cut) -> 'PrunedArchitecture':
        """This architecture after a further cut: :func:`.composing.after`."""
        return composing.after(self, cut)

    def shape(self) -> 'PrunedArchitecture':
        """The same without the indices of channels: :func:`.composing.without_indices`."""
        return composing.without_indices(self)

    @property
    def base(self) -> 'PrunedArchitecture':
        """The unpruned parent."""
        return PrunedArchitecture(self.backbone, self.head, self.input_shape)

    @cached_property
    def widths(self) -> Mapping[str, int]:
        """Output channels of every layer of the *unpruned* network that can lose some."""
        return FrozenMapping(layers.widths(building.unpruned(self)))

    def kept(self, layer: str) -> int:
        """How many output channels ``layer`` keeps.

        Raises:
            UserError: No layer of that name can lose some.
        """
        if layer not in self.widths:
            raise UserError(f'There is no layer {layer!r}; there are {", ".join(self.widths)}.')
        kept = self.channels.get(layer, self.widths[layer])
        return kept if isinstance(kept, int) else len(kept)

    def inputs(self, layer: str) -> int:
        """How many input channels ``layer`` has in the unpruned network."""
        return layers.input_width(building.unpruned(self), layer)

    def masked(self) -> dict[str, tuple[int, int]]:
        """Weights kept and weights in all of every parameter under a mask."""
        return counting.masked(self)

    def cost(self, input_shape: Sequence[int] | None = None) -> counting.Cost:
        """Parameters and MACs of backbone and head: :func:`.cost.cost_of`."""
        return counting.cost_of(self, input_shape)

    def diff(self, other: 'PrunedArchitecture') -> list[str]:
        """What differs, a readable line each; empty if the architectures are equal."""
        return description.differences(self, other)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that is compared; 16 hex digits."""
        return loading.digest(self.to_dict())

    def __str__(self) -> str:
        return description.text(self)
