"""What every pruner shares: find what to remove, remove it, say what is left."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.finite import first_not_finite
from rethink_det.architecture.structure_scales import fold_scales
from rethink_det.errors import UserError, in_one_line, shown
from rethink_det.latency import NetworkLatency
from rethink_det.pruning.at_work import at_work
from rethink_det.pruning.classifier_latency import classifier_latency
from rethink_det.pruning.cost_goal import TOLERANCE, CostGoal, Costs, Reached, classifier_costs
from rethink_det.pruning.passes import Passes, counted_passes
from rethink_det.pruning.reach import Reach, Wish, layer_weights, reach
from rethink_det.pruning.runnable import check_runs
from rethink_det.pruning.seeking import Search, settings_without_goal
from rethink_det.registered import build, is_type
from rethink_det.registry import PRUNERS, SCOPE
from rethink_det.report.schema import check_arguments
from rethink_det.training.device import device_named


@dataclass(frozen=True)
class PruneResult:
    """What pruning gives.

    Attributes:
        architecture: Base network and what was kept of it.
        state_dict: Inherited weights, names ``backbone.*`` and ``head.*``.
        masks: Weight masks by parameter name, of an unstructured method.
        passes: In which the method looked at images.
        reach: How much of what was asked for went.
        goal: How near the network came to what it may cost, if that was asked for.
    """

    architecture: PrunedArchitecture
    state_dict: dict[str, Tensor]
    masks: dict[str, Tensor] = field(default_factory=dict)
    passes: Passes = Passes()
    reach: Reach = Reach(None, 1.0)
    goal: Reached | None = None

    @property
    def not_as_asked(self) -> str | None:
        """What of what was asked for did not come, in words; None where all of it did."""
        missed = self.goal is not None and abs(self.goal.off) > TOLERANCE
        said = [f'{self.goal}.'] if missed else []
        return ' '.join([*said, *([self.reach.note] if self.reach.note else [])]) or None


class Pruner(ABC):
    """Base of all pruners. A method supplies :meth:`find`.

    Attributes:
        dial: The argument that says how much goes, in [0, 1); None if no argument does.
        goal: What the network may cost; :meth:`prune` then finds the ratio. None if the ratio is
            given.
        settings: What it was built with, where it has a goal.
        shrinks: Whether what goes are channels or blocks, so that what is left is faster.
    """

    dial: ClassVar[str | None] = None
    shrinks: ClassVar[bool] = True
    goal: CostGoal | None = None
    settings: Mapping[str, Any] = MappingProxyType({})

    @property
    def looks_at_images(self) -> bool:
        """Whether the method needs data."""
        return False

    @abstractmethod
    def find(
        self, surgeon: Surgeon, architecture: PrunedArchitecture, data: Iterable | None
    ) -> Cut:
        """What to remove from ``surgeon.model``.

        A method that also reweights what it keeps does so here, in place.

        Args:
            surgeon: The traced network: backbone and head, of a detector backbone and neck.
            architecture: What the network is now.
            data: Batches, see :mod:`.image_batches`; ``None`` if there are none.
        """

    def beside_widths(self, architecture: PrunedArchitecture) -> str:
        """What it takes from such a network beside channels of layers; empty if nothing.

        In words that follow on the method's name, ``'masks weights'``: other methods cannot bring
        it about by a target's widths.

        Args:
            architecture: Of the network that is pruned.
        """
        return ''

    def ratios_of(self, layers: Sequence[str]) -> dict[str, float]:
        """The share of channels that the method was told to remove, by layer; empty if none.

        Args:
            layers: Names of all layers of the backbone.
        """
        return {}

    def check(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> None:  # noqa: B027
        """Refuse what the method was told that such a network cannot have, whatever its weights.

        Args:
            surgeon: Of a network without weights to speak of, ``architecture.skeleton()``.
            architecture: What the network is.

        Raises:
            UserError: A layer is named that is none or cannot be pruned, say.
        """

    @property
    def widths_follow_from(self) -> Hashable:
        """What tells the widths that it leaves of a network; None if weights or images do."""
        return None

    @classmethod
    def turned(cls, level: Any) -> dict[str, Any]:
        """The argument with which so much goes, :attr:`dial` as a rule."""
        return {} if cls.dial is None else {cls.dial: level}

    def at(self, level: Any) -> 'Pruner':
        """The same method, told how much goes.

        Args:
            level: A share in [0, 1), or shares by layer name pattern.
        """
        return build(PRUNERS, {**self.settings, **self.turned(level)})

    def turned_layers(self, surgeon: Surgeon) -> list[str]:
        """Layers that can be told apart in how much they lose; none if one share is for all."""
        return []

    def preview(self, surgeon: Surgeon, architecture: PrunedArchitecture) -> Cut:
        """As :meth:`find`, without images and with nothing changed: how much goes, if not what.

        Arguments and errors as of :meth:`find`.
        """
        return self.find(surgeon, architecture, None)

    def trace(self, surgeon: Surgeon) -> None:
        """Have the surgeon follow the network: that pass is none in which the method looks."""
        _ = surgeon.graph

    def prune(
        self,
        network: nn.Module,
        architecture: PrunedArchitecture,
        data: Iterable | None = None,
        costs: Costs = classifier_costs,
        device: torch.device | None = None,
        latency: Callable[[], NetworkLatency] | None = None,
    ) -> PruneResult:
        """Find what to remove and remove it.

        Args:
            network: Trained network with a ``backbone``; cut in place.
            architecture: What ``network`` is now.
            data: Batches of images, for methods that look at data.
            costs: Of an architecture: that which a goal is a goal for.
            device: What a method that looks at images computes on, see :func:`.at_work.at_work`;
                a latency is that of it.
            latency: Gives the latencies of architectures, of which one may be a goal; default:
                those of classifiers on the device.

        Raises:
            UserError: Weights that are not finite, no data for a method that needs some, a
                network that cannot run without what would go, or what the method itself refuses.

        Warns:
            UserWarning: Much less went than was asked for, or nothing, or the network costs
                otherwise than it may.
        """
        _check_finite(network)
        surgeon = Surgeon(network, architecture.input_shape, prefix='backbone.')
        if self.goal is None:
            return self._prune(surgeon, architecture, data, device)
        times = None
        if self.goal.is_latency:
            times = latency() if latency else classifier_latency(architecture, device)
            costs = times.cost
        pruner, reached = Search(self, surgeon, architecture, costs, times).found()
        result = pruner._prune(surgeon, architecture, data, device)
        reached = replace(
            reached,
            after=costs(result.architecture, self.goal.quantity),
            measured=None if times is None else times.measured(result.architecture),
            basis='' if times is None else str(times),
        )
        if abs(reached.off) > TOLERANCE:
            warnings.warn(f'{type(self).__name__}: {reached}.', stacklevel=2)
        return replace(result, goal=reached)

    def _prune(
        self,
        surgeon: Surgeon,
        architecture: PrunedArchitecture,
        data: Iterable | None,
        device: torch.device | None,
    ) -> PruneResult:
        network = surgeon.model
        sizes = layer_weights(network)
        wish = Wish(sizes, surgeon.layers(), self.ratios_of([*sizes]))
        self.trace(surgeon)
        place = at_work(network, device) if self.looks_at_images else nullcontext()
        with counted_passes(network) as counter, place:
            cut = self.find(surgeon, architecture, data)
        cut.apply(surgeon)
        if not cut.coupled:  # of coupled groups it was tried before
            check_runs(network, architecture.input_shape)
        state = {name: tensor.detach() for name, tensor in network.state_dict().items()}
        reached = reach(wish, network, cut, architecture)
        if reached.note:
            warnings.warn(f'{type(self).__name__}: {reached.note}', stacklevel=3)
        return PruneResult(architecture.after(cut), state, dict(cut.masks), counter.passes, reached)


def _check_finite(network: nn.Module) -> None:
    name = first_not_finite(dict(network.named_parameters()))
    if name is not None:
        layer = name.removeprefix('backbone.').rpartition('.')[0]
        raise UserError(f'Layer {layer} has weights that are not finite numbers.')


def build_pruner(config: Mapping) -> Pruner:
    """Build a pruner from ``dict(type='L1NormPruner', ratios=...)``.

    Instead of how much goes, ``macs=`` or ``params=`` says what the network may cost: a share of
    what it costs before, ``macs=0.5``, or a number, ``macs=2.1e9``. ``latency=0.6`` is a share of
    the time that it takes for an image, ``latency_ms=8`` that time.

    Raises:
        UserError: No config, an unknown type (lists the known ones) or wrong arguments.
    """
    kind = pruner_class(config)
    goal = CostGoal.of(config, kind.__name__)
    if goal is not None:
        config = {**settings_without_goal(kind, config), **kind.turned(0)}
    try:
        pruner = build(PRUNERS, config)
    except UserError:
        raise
    except Exception as error:  # whatever a class says of values that it does not know
        check_arguments(kind, config, kind.__name__)
        raise UserError(f'{kind.__name__}: {in_one_line(error)}') from error
    check_arguments(kind, config, kind.__name__)  # what it has let pass
    pruner.goal, pruner.settings = goal, config
    return pruner


def pruner_class(config: Mapping) -> type[Pruner]:
    """The class of a pruner's config.

    Raises:
        UserError: No config, or an unknown type (lists the known ones).
    """
    if not isinstance(config, Mapping):
        raise UserError(f"A pruner is a dict with a 'type', got {shown(config)}.")
    names = sorted(PRUNERS.module_dict)
    kind = next((name for name in names if is_type(config, f'{SCOPE}.{name}', PRUNERS)), None)
    if kind is None:
        raise UserError(
            f'Unknown pruner {shown(config.get("type"))}; known are {", ".join(names)}.'
        )
    return PRUNERS.module_dict[kind]


def prune(
    model: nn.Module,
    pruner: Mapping | Pruner,
    architecture: PrunedArchitecture | None = None,
    data: Iterable | None = None,
    device: str | torch.device | None = None,
) -> PruneResult:
    """Prune a trained classifier; the model itself is left as it is.

    Args:
        model: A classifier with ``backbone`` and ``head``.
        pruner: A pruner or its config, ``dict(type='L1NormPruner', ratios=0.3)``.
        architecture: What the model is; default: its attribute ``architecture``.
        data: Batches of images, for methods that look at data: tensors ``(N, C, H, W)``,
            pairs ``(images, labels)``, or dicts ``inputs`` and ``gt_label``, as the network
            reads them.
        device: What methods that look at images compute on; default: a GPU if there is one.

    Raises:
        UserError: Unknown pruner, impossible ratio, missing data, no such device, or weights of
            another architecture.

    Example:
        >>> from rethink_det import PrunedArchitecture, prune
        >>> base = PrunedArchitecture.load('resnet56')
        >>> trained = base.build_network()  # load its weights here
        >>> pruned = prune(trained, {'type': 'L1NormPruner', 'ratios': 0.25}, base)
        >>> pruned.architecture.kept('layer1.0.conv1'), base.kept('layer1.0.conv1')
        (12, 16)
        >>> pruned.state_dict['backbone.layer1.0.conv1.weight'].shape
        torch.Size([12, 16, 3, 3])
    """
    architecture = architecture or getattr(model, 'architecture', None)
    if architecture is None:
        raise UserError(f'{type(model).__name__} does not say what it is: pass its architecture.')
    return prune_state(model.state_dict(), pruner, architecture, data, device)


def prune_state(
    state: Mapping[str, Tensor],
    pruner: Mapping | Pruner,
    architecture: PrunedArchitecture,
    data: Iterable | None = None,
    device: str | torch.device | None = None,
) -> PruneResult:
    """Prune a network given by its weights; arguments and errors as :func:`prune`.

    Scaling factors of structure that the network was trained with (see
    :class:`~rethink_det.training.StructureScaleHook`) are folded into the weights first.
    """
    pruner = pruner if isinstance(pruner, Pruner) else build_pruner(pruner)
    state, _ = fold_scales(state)
    network = architecture.network_with(state)
    return pruner.prune(network, architecture, data, device=device_named(device))
