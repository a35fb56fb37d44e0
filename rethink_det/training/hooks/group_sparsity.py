"""A penalty on coupled groups, which makes them prunable.

Paper: DepGraph: Towards Any Structural Pruning (Fang et al., arXiv 2301.12900), section 3.3,
equation 4: the sum over all units of a group of their squared norms, each multiplied by
``2 ** (alpha * (I_max - I) / (I_max - I_min))``, where I is that norm and the extremes are those of
the group: the smaller a unit, the harder it is drawn to zero.
Deviation: none in the penalty. Torch-Pruning takes the root of I in the exponent, and leaves out
the factor 2 of the square's derivative.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from rethink_det.architecture import Surgeon
from rethink_det.architecture.grouped_scores import scores_of_sets, squares, tied_sides
from rethink_det.architecture.network import BACKBONE, Network
from rethink_det.bounds import check_number
from rethink_det.errors import UserError
from rethink_det.registry import HOOKS
from rethink_det.training.model import model_of

NONE = -1
"""In the place of a group: what is in none that can be cut."""


@dataclass(frozen=True)
class _Side:
    """A dimension of a weight, and the set of tied channels that each index of it is in."""

    weight: nn.Parameter
    dim: int
    sets: Tensor

    def spread(self, factors: Tensor) -> Tensor:
        """Factors of sets along the dimension, in the weight's shape but for the others' sizes."""
        shape = [1] * self.weight.ndim
        shape[self.dim] = -1
        return factors[self.sets].view(shape)


@HOOKS.register_module()
class GroupSparsityHook(Hook):
    """Add the gradient of the penalty to those of all weights of coupled groups.

    For a classifier that :class:`~rethink_det.pruning.GroupNormPruner` prunes afterwards. Weights
    that are not trained are left alone.

    Args:
        scale: The factor of the penalty.
        alpha: How much harder the smallest units of a group are drawn than the largest, as a
            power of 2; the paper's value is 4.

    Raises:
        UserError: A negative scale or alpha, or a model that does not say what it is.
    """

    def __init__(self, scale: float = 5e-4, alpha: float = 4.0) -> None:
        self.scale = check_number('GroupSparsityHook: scale', scale, least=0)
        self.alpha = check_number('GroupSparsityHook: alpha', alpha, least=0)
        self._handles: list[RemovableHandle] = []
        self._factors: Callable[[], Tensor] | None = None
        self._now: Tensor | None = None

    def before_train(self, runner: Runner) -> None:
        """Follow the network's channels, and watch the gradients from now on."""
        for handle in self._handles:
            handle.remove()
        model: Any = model_of(runner)
        if getattr(model, 'architecture', None) is None or not hasattr(model, 'head'):
            kind = type(model).__name__
            raise UserError(f'GroupSparsityHook works on a classifier of this package, not {kind}.')
        network = Network(model.backbone, model.head)
        surgeon = Surgeon(network, model.architecture.input_shape, BACKBONE)
        self._factors = partial(factors, surgeon, _groups(surgeon), self.alpha)
        by_weight: dict[int, list[_Side]] = {}
        for side in _sides(surgeon):
            by_weight.setdefault(id(side.weight), []).append(side)
        watch = partial(self._penalised, runner.optim_wrapper)
        self._handles = [
            sides[0].weight.register_hook(partial(watch, sides)) for sides in by_weight.values()
        ]

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Weigh the units anew."""
        self._now = self._factors() if self._factors else None

    def _penalised(self, wrapper: OptimWrapper, sides: list[_Side], gradient: Tensor) -> Tensor:
        if self._now is None:
            return gradient
        weight = sides[0].weight.detach()
        drawn = sum((side.spread(self._now) for side in sides), weight.new_zeros(()))
        # A term of the loss: divided by the number of accumulated batches and multiplied by
        # the loss scale of mixed precision as the loss itself.
        penalty = wrapper.scale_loss(2 * self.scale * weight * drawn)
        scaler = getattr(wrapper, 'loss_scaler', None)
        return gradient + (scaler.scale(penalty) if scaler else penalty)


@torch.no_grad()
def factors(surgeon: Surgeon, groups: Tensor, alpha: float) -> Tensor:
    """How hard each set of tied channels is drawn, by the weights as they are now.

    Args:
        surgeon: Of the network.
        groups: The group of each set, or :data:`NONE`.
        alpha: As of :class:`GroupSparsityHook`.

    Returns:
        Factors ``(sets,)`` from 1 to ``2 ** alpha``; 0 for sets of no group.
    """
    norms = scores_of_sets(surgeon, squares).to(groups.device)
    inside = groups != NONE
    index, values = groups[inside], norms[inside]
    number = int(groups.max()) + 1 if len(groups) else 0
    most, least = (
        values.new_zeros(number).scatter_reduce(0, index, values, how, include_self=False)
        for how in ('amax', 'amin')
    )
    span = (most - least).clamp_min(torch.finfo(values.dtype).tiny)
    found = torch.zeros_like(norms)
    found[inside] = 2 ** (alpha * (most[index] - values) / span[index])
    return found.float()


def _groups(surgeon: Surgeon) -> Tensor:
    """The coupled group that each set is a unit of; :data:`NONE` where it cannot go."""
    coupling = surgeon.coupling
    device = next(surgeon.model.parameters()).device
    found = torch.full((surgeon.trace.sets.number,), NONE)
    for number, group in enumerate(coupling.groups):
        if not group.obstacle:
            for kind in group.kinds:
                found[[coupling.set_of(unit) for unit in kind]] = number
    return found.to(device)


def _sides(surgeon: Surgeon) -> list[_Side]:
    found = []
    for module, makes, sets in tied_sides(surgeon):
        weight, dim = module.weight, 0 if makes else 1
        if weight.requires_grad and squares(module, makes) is not None:
            own = torch.from_numpy(sets[: weight.shape[dim]]).to(weight.device)
            found.append(_Side(weight, dim, own))
    return found
