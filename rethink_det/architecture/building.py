"""Networks of an architecture: in its shape alone, with fresh weights, with given ones."""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeGuard

from torch import Tensor, nn

from rethink_det.architecture.bounded import bounded
from rethink_det.architecture.composing import as_cut
from rethink_det.architecture.cut import Cut
from rethink_det.architecture.fitting import load_exactly
from rethink_det.architecture.grafting import GRAFTS, graft
from rethink_det.architecture.initialization import fresh_weights
from rethink_det.architecture.network import (
    BACKBONE,
    Network,
    build_backbone,
    build_head,
    build_network,
    trained_whole,
    without_memory,
)
from rethink_det.architecture.stage_geometry import GEOMETRY, set_geometry
from rethink_det.architecture.surgery import Surgeon
from rethink_det.files import plain
from rethink_det.registered import SCOPE_KEY, Kind, registered
from rethink_det.registry import MODELS

if TYPE_CHECKING:
    from rethink_det.architecture.pruned_architecture import PrunedArchitecture

EVERY_MAP = 'every_map'
"""What a backbone calls a context in which it puts out all that it has, whatever it was told."""

ARCHITECTURE = 'architecture'
"""Attribute of a backbone that says what it is."""


def unpruned(architecture: 'PrunedArchitecture') -> Network:
    """The base network, whole: one for all who ask, so it must not be changed.

    Its weights have no memory behind them where it can be built so, see
    :func:`.network.without_memory`, and where they are all that has values.

    Raises:
        UserError: It cannot be built.
    """
    base = {key: getattr(architecture, key) for key in ('backbone', 'head', 'input_shape')}
    return _unpruned(json.dumps(plain(base)), kinds_of(architecture))


def kinds_of(architecture: 'PrunedArchitecture') -> tuple[Kind | None, ...]:
    """What the types of backbone and head mean now: a class may be registered anew."""
    parts = architecture.backbone, architecture.head
    return tuple(registered(MODELS, one.get('type', ''), one.get(SCOPE_KEY)) for one in parts)


@lru_cache(maxsize=8)
def _unpruned(base: str, _: tuple[Kind | None, ...]) -> Network:
    def build() -> Network:
        with bounded():
            return build_network(**json.loads(base))

    network = without_memory(build)
    return build() if _computes_with_lost_values(network) else network


def _computes_with_lost_values(network: Network) -> bool:
    """Whether it has tensors that no weights bring along, and that have no values.

    Indices and masks that a module keeps beside its state (buffers that are not persistent).
    """
    brought = {id(tensor) for tensor in network.state_dict(keep_vars=True).values()}
    return any(
        isinstance(tensor, Tensor) and tensor.is_meta and id(tensor) not in brought
        for module in network.modules()
        for tensor in (*module._buffers.values(), *vars(module).values())
    )


def skeleton(architecture: 'PrunedArchitecture') -> Network:
    """The network in its final shape; its weights have no memory, or random values."""
    network = deepcopy(unpruned(architecture))
    _cut(network, as_cut(architecture), architecture, BACKBONE)
    setattr(network.backbone, ARCHITECTURE, architecture)
    return network


def network_with(architecture: 'PrunedArchitecture', state: Mapping[str, Tensor]) -> Network:
    """The classification network with given weights; no random ones are drawn.

    Args:
        architecture: What it is.
        state: State dict of exactly this network; its tensors are copied.

    Raises:
        UserError: The state dict is of another architecture (names the tensor).
    """
    network = skeleton(architecture)
    load_exactly(network, {name: tensor.clone() for name, tensor in state.items()}, assign=True)
    return network.float()


def fresh_backbone(architecture: 'PrunedArchitecture', **settings: Any) -> nn.Module:
    """The backbone of an architecture with fresh weights for its own widths.

    The result is an ordinary instance of the base class (``mmdet.ResNet``, say) with
    narrower layers: parameter names and speed are those of the plain backbone. It carries the
    architecture as its attribute :data:`ARCHITECTURE`.

    Args:
        architecture: What is built.
        **settings: Training settings of the base class, such as ``frozen_stages``. Stages
            that they leave out (``num_stages=3``) are left out of the surgery, too; one that
            is there and not read (``out_indices=(0, 1, 2)``) is cut as all are. What a
            detector puts in besides (``dcn``, ``plugins``) is there at the widths that are
            left, see :mod:`.grafting`, unless the architecture has it itself; ``geometry`` are
            other strides and dilations of a ResNet's stages, see :mod:`.stage_geometry`.

    Raises:
        UserError: A layer cannot be cut as asked.
    """
    grafts = {key: settings.pop(key) for key in GRAFTS if key in settings}
    geometry = settings.pop(GEOMETRY, None)
    read = settings.get('out_indices')
    outputs = every_output(architecture, settings)
    backbone: Any = build_backbone({**plain(architecture.backbone), **settings, **outputs})
    cut = as_cut(architecture, head=False)
    if 'num_stages' in settings:
        cut = cut.within(backbone)
    with getattr(backbone, EVERY_MAP, nullcontext)():
        _cut(backbone, cut, architecture)
    if outputs:
        backbone.out_indices = read
    setattr(backbone, ARCHITECTURE, architecture)
    fresh_weights(backbone)
    if geometry:
        set_geometry(backbone, geometry)
    graft(backbone, {k: v for k, v in grafts.items() if not architecture.backbone.get(k)})
    return backbone


def every_output(architecture: 'PrunedArchitecture', settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by which everything in a backbone is read, so that it can be traced and cut.

    Empty where it is, or where the class puts out what it always does, or has a way of its own.

    Args:
        architecture: Of the backbone.
        settings: What it is built with.
    """
    read, whole = settings.get('out_indices'), unpruned(architecture).backbone
    usual = None if hasattr(whole, EVERY_MAP) else getattr(whole, 'out_indices', None)
    if 'num_stages' in settings or not _are_indices(read) or not _are_indices(usual):
        return {}
    return {'out_indices': tuple(sorted({*read, *usual}))} if max(usual) > max(read) else {}


def _are_indices(value: Any) -> TypeGuard[Sequence[int]]:
    """Whether these are indices of stages, counted from the first one."""
    numbers = isinstance(value, Sequence) and len(value) > 0
    return numbers and all(isinstance(one, int) and one >= 0 for one in value)


def left_out(backbone: nn.Module) -> set[str]:
    """Names of the parts of its architecture that a backbone was built without.

    Args:
        backbone: Of an architecture (:func:`fresh_backbone`), whole or not; any other has none.
    """
    architecture = getattr(backbone, ARCHITECTURE, None)
    if architecture is None:
        return set()
    whole = {name for name, _ in unpruned(architecture).backbone.named_children()}
    return whole - {name for name, _ in backbone.named_children()}


def fresh_network(architecture: 'PrunedArchitecture') -> Network:
    """Backbone and head with fresh weights, as one classification network."""
    backbone = fresh_backbone(architecture)
    network = trained_whole(Network(backbone, fresh_head(architecture, backbone)))
    fresh_weights(network.head)
    return network


def fresh_head(architecture: 'PrunedArchitecture', backbone: nn.Module) -> nn.Module:
    """The head on a backbone of the architecture, with its own initial weights.

    Raises:
        UserError: The backbone is not of this architecture.
    """
    head = build_head(plain(architecture.head), backbone, architecture.input_shape)
    network = Network(backbone, head)
    _cut(network, as_cut(architecture, head=True), architecture, BACKBONE)
    return network.head


def _cut(model: nn.Module, cut: Cut, architecture: 'PrunedArchitecture', prefix: str = '') -> None:
    """Apply a cut, if there is something to cut: tracing takes a while."""
    if cut.layers() or cut.blocks:
        cut.apply(Surgeon(model, architecture.input_shape, prefix))
