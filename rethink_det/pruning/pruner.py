"""What every pruner shares: find what to remove, remove it, say what is left."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.finite import first_not_finite
from rethink_det.architecture.structure_scales import fold_scales
from rethink_det.errors import UserError, in_one_line, shown
from rethink_det.pruning.passes import Passes, counted_passes
from rethink_det.pruning.reach import Reach, Wish, layer_weights, reach
from rethink_det.pruning.runnable import check_runs
from rethink_det.registered import build, is_type
from rethink_det.registry import PRUNERS, SCOPE
from rethink_det.report.schema import check_arguments


@dataclass(frozen=True)
class PruneResult:
    """What pruning gives.

    Attributes:
        architecture: Base network and what was kept of it.
        state_dict: Inherited weights, names ``backbone.*`` and ``head.*``.
        masks: Weight masks by parameter name, of an unstructured method.
        passes: In which the method looked at images.
        reach: How much of what was asked for went.
    """

    architecture: PrunedArchitecture
    state_dict: dict[str, Tensor]
    masks: dict[str, Tensor] = field(default_factory=dict)
    passes: Passes = Passes()
    reach: Reach = Reach(None, 1.0)


class Pruner(ABC):
    """Base of all pruners. A method supplies :meth:`find`."""

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

    def trace(self, surgeon: Surgeon) -> None:
        """Have the surgeon follow the network: that pass is none in which the method looks."""
        _ = surgeon.graph

    def prune(
        self, network: nn.Module, architecture: PrunedArchitecture, data: Iterable | None = None
    ) -> PruneResult:
        """Find what to remove and remove it.

        Args:
            network: Trained network with a ``backbone``; cut in place.
            architecture: What ``network`` is now.
            data: Batches of images, for methods that look at data.

        Raises:
            UserError: Weights that are not finite, no data for a method that needs some, a
                network that cannot run without what would go, or what the method itself refuses.

        Warns:
            UserWarning: Much less went than was asked for, or nothing.
        """
        _check_finite(network)
        surgeon = Surgeon(network, architecture.input_shape, prefix='backbone.')
        sizes = layer_weights(network)
        wish = Wish(sizes, surgeon.layers(), self.ratios_of([*sizes]))
        self.trace(surgeon)
        with counted_passes(network) as counter:
            cut = self.find(surgeon, architecture, data)
        cut.apply(surgeon)
        if not cut.coupled:  # of coupled groups it was tried before
            check_runs(network, architecture.input_shape)
        state = {name: tensor.detach() for name, tensor in network.state_dict().items()}
        reached = reach(wish, network, cut, architecture)
        if reached.note:
            warnings.warn(f'{type(self).__name__}: {reached.note}', stacklevel=2)
        return PruneResult(architecture.after(cut), state, dict(cut.masks), counter.passes, reached)


def _check_finite(network: nn.Module) -> None:
    name = first_not_finite(dict(network.named_parameters()))
    if name is not None:
        layer = name.removeprefix('backbone.').rpartition('.')[0]
        raise UserError(f'Layer {layer} has weights that are not finite numbers.')


def build_pruner(config: Mapping) -> Pruner:
    """Build a pruner from ``dict(type='L1NormPruner', ratios=...)``.

    Raises:
        UserError: No config, an unknown type (lists the known ones) or wrong arguments.
    """
    kind = pruner_class(config)
    try:
        pruner = build(PRUNERS, config)
    except UserError:
        raise
    except Exception as error:  # whatever a class says of values that it does not know
        check_arguments(kind, config, kind.__name__)
        raise UserError(f'{kind.__name__}: {in_one_line(error)}') from error
    check_arguments(kind, config, kind.__name__)  # what it has let pass
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
) -> PruneResult:
    """Prune a trained classifier; the model itself is left as it is.

    Args:
        model: A classifier with ``backbone`` and ``head``.
        pruner: A pruner or its config, ``dict(type='L1NormPruner', ratios=0.3)``.
        architecture: What the model is; default: its attribute ``architecture``.
        data: Batches of images, for methods that look at data: tensors ``(N, C, H, W)``,
            pairs ``(images, labels)``, or dicts ``inputs`` and ``gt_label``, as the network
            reads them.

    Raises:
        UserError: Unknown pruner, impossible ratio, missing data, or weights of another
            architecture.

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
    return prune_state(model.state_dict(), pruner, architecture, data)


def prune_state(
    state: Mapping[str, Tensor],
    pruner: Mapping | Pruner,
    architecture: PrunedArchitecture,
    data: Iterable | None = None,
) -> PruneResult:
    """Prune a network given by its weights; arguments and errors as :func:`prune`.

    Scaling factors of structure that the network was trained with (see
    :class:`~rethink_det.training.StructureScaleHook`) are folded into the weights first.
    """
    pruner = pruner if isinstance(pruner, Pruner) else build_pruner(pruner)
    state, _ = fold_scales(state)
    return pruner.prune(architecture.network_with(state), architecture, data)
