"""Factors on whole structures, trained towards zero.

Paper: Data-Driven Sparse Structure Selection for Deep Neural Networks (Huang and Wang, arXiv
1707.01213), section 3, equations 10 to 12.
Deviation: none from the authors' code, which the paper leaves out in one point: no factor
becomes negative. Without that, momentum carries factors through zero and none ends there.
"""

from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.runner import Runner
from torch import Tensor, nn

from rethink_det.architecture.checkpoint import WEIGHTS
from rethink_det.architecture.structure_scales import MOMENTUM, SCALE, add_scales, scaled_layers
from rethink_det.bounds import check_number
from rethink_det.errors import UserError
from rethink_det.registry import HOOKS
from rethink_det.training.hooks.within_step import WithinStepHook
from rethink_det.training.model import backbone_of, model_of


@HOOKS.register_module()
class StructureScaleHook(WithinStepHook):
    """Train a factor on every structure of the backbone by accelerated proximal gradient.

    The factors are buffers of the layers whose output they multiply: checkpoints and resume
    carry them, the optimizer and its weight decay do not know them.
    :func:`~rethink_det.architecture.structure_scales.fold_scales` makes a plain network of the
    result.

    Args:
        weight: Of the L1 penalty on the factors, gamma in the paper.
        structures: What has a factor: each residual ``'block'``, each ``'neuron'`` (channel of
            a convolution that no residual stream reads) or each ``'group'`` of a grouped
            convolution.
        lr: Step size; default: the optimizer's at the time.
        momentum: Of the factors.

    Raises:
        UserError: An unknown kind of structure, a negative setting, a momentum
            that is not below 1, a backbone without such
            structures, or a resumed checkpoint without factors.
    """

    priority = 'HIGH'  # before_run: EMAHook copies the model; after a step: before it averages
    """Among the hooks of a run, in MMEngine's words."""

    def __init__(
        self,
        weight: float,
        structures: str = 'block',
        lr: float | None = None,
        momentum: float = 0.9,
    ) -> None:
        for name, value in (('weight', weight), ('lr', lr or 0), ('momentum', momentum)):
            check_number(f'StructureScaleHook: {name}', value, least=0)
        if momentum >= 1:  # every step would be larger than the one before
            raise UserError(f'StructureScaleHook: momentum must be below 1, got {momentum}.')
        self.weight, self.structures, self.lr, self.momentum = weight, structures, lr, momentum
        self._layers: list[nn.Module] = []
        self._loss_scale = 1.0

    def before_run(self, runner: Runner) -> None:
        """Give the layers their factors, before anything is loaded."""
        add_scales(backbone_of(model_of(runner))[1], self.structures)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuse to resume what did not train factors."""
        state = checkpoint.get(WEIGHTS, {}) if runner.cfg.get('resume') else None
        for name, layer in scaled_layers(model_of(runner)).items():
            own = getattr(layer, SCALE).shape
            if state is not None and getattr(state.get(f'{name}.{SCALE}'), 'shape', None) != own:
                raise UserError(
                    f'StructureScaleHook: the checkpoint has no {name}.{SCALE} of shape '
                    f'{tuple(own)}, so its run cannot be resumed with this hook: use load_from.'
                )

    def before_train(self, runner: Runner) -> None:
        """Let autograd fill the factors' gradients."""
        self._layers = list(scaled_layers(model_of(runner)).values())
        for layer in self._layers:
            getattr(layer, SCALE).requires_grad_(True)

    def before_train_iter(self, runner: Runner, batch_idx: int, **kwargs: Any) -> None:
        """Note by what mixed precision multiplies this iteration's loss."""
        scaler = getattr(runner.optim_wrapper, 'loss_scaler', None)
        self._loss_scale = scaler.get_scale() if scaler else 1.0

    @torch.no_grad()
    def after_step(self, runner: Runner) -> None:
        """One step of the factors, whenever the optimizer made one."""
        if not runner.optim_wrapper.should_update():
            return
        gradients = torch.cat([_gradient(layer) for layer in self._layers]) / self._loss_scale
        all_reduce(gradients, 'mean')
        # Mixed precision leaves out steps whose gradients overflowed.
        mixed = hasattr(runner.optim_wrapper, 'loss_scaler')
        if not mixed or gradients.isfinite().all():
            self._step(gradients, _learning_rate(runner) if self.lr is None else self.lr)
        for layer in self._layers:
            getattr(layer, SCALE).grad = None

    def after_train(self, runner: Runner) -> None:
        """Leave plain buffers behind, which can be copied and moved."""
        for layer in self._layers:
            getattr(layer, SCALE).requires_grad_(False)

    def _step(self, gradients: Tensor, lr: float | Tensor) -> None:
        sizes = [getattr(layer, SCALE).numel() for layer in self._layers]
        for layer, gradient in zip(self._layers, gradients.split(sizes), strict=True):
            scale, velocity = getattr(layer, SCALE), getattr(layer, MOMENTUM)
            moved = proximal_step(
                scale, velocity, gradient.view_as(scale), lr, self.weight, self.momentum
            )
            for old, new in zip((scale, velocity), moved, strict=True):
                old.copy_(new)


def proximal_step(
    scale: Tensor,
    velocity: Tensor,
    gradient: Tensor,
    lr: float | Tensor,
    weight: float,
    momentum: float,
) -> tuple[Tensor, Tensor]:
    """Equations 10 to 12: the next factors and velocities; no factor becomes negative.

    Args:
        scale: The factors, lambda' in the paper; any shape.
        velocity: v, of the same shape.
        gradient: Of the loss without the penalty, at ``scale``.
        lr: Step size eta; as a tensor of one number its precision does not become the result's.
        weight: Of the L1 penalty, gamma.
        momentum: mu.
    """
    z = scale - _of(scale, lr) * gradient
    shrunk = z.sign() * (z.abs() - _of(scale, lr * weight)).clamp(min=0)
    velocity = shrunk - scale + momentum * velocity
    return (shrunk + momentum * velocity).clamp(min=0), velocity


def _of(tensor: Tensor, number: float | Tensor) -> float | Tensor:
    """A number in the precision of a tensor."""
    return number.to(tensor.dtype) if isinstance(number, Tensor) else number


def _gradient(layer: nn.Module) -> Tensor:
    scale = getattr(layer, SCALE)
    return (torch.zeros_like(scale) if scale.grad is None else scale.grad).flatten()


def _learning_rate(runner: Runner) -> float | Tensor:
    """The optimizer's, without the factors that single parameters may have.

    A tensor within a recorded step.
    """
    rates = runner.optim_wrapper.get_lr()
    return rates.get('base_lr', rates['lr'])[0]
