"""An L1 penalty on the scales of BatchNorm, which makes channels prunable.

Paper: Learning Efficient Convolutional Networks through Network Slimming (Liu et al., arXiv
1708.06519), section 3, equation 1.
Deviation: none. As in the authors' code the subgradient of |0| is 0.
"""

from functools import partial

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.hooks import RemovableHandle

from rethink_det.architecture.structure_scales import MAP_NORMS
from rethink_det.bounds import check_number
from rethink_det.errors import UserError
from rethink_det.registry import HOOKS
from rethink_det.training.model import backbone_layers, model_of


@HOOKS.register_module()
class SparsityHook(Hook):
    """Add ``scale * sign(weight)`` to the gradient of every BatchNorm weight of the backbone.

    Frozen BatchNorms are left alone.

    Args:
        scale: The factor of the penalty: 1e-4 for VGG, 1e-5 for ResNet and DenseNet.
        heads: Also penalise the BatchNorm1d layers, wherever they are, whose units are pruned
            along in a classifier with hidden layers.

    Raises:
        UserError: A negative scale, or a model with no BatchNorm that is trained.
    """

    def __init__(self, scale: float = 1e-4, heads: bool = False) -> None:
        self.scale = check_number('SparsityHook: scale', scale, least=0)
        self.heads = heads
        self._handles: list[RemovableHandle] = []

    def before_train(self, runner: Runner) -> None:
        """Watch the gradients from now on."""
        for handle in self._handles:
            handle.remove()
        wrapper, weights = runner.optim_wrapper, self._weights(model_of(runner))
        self._handles = [w.register_hook(partial(self._penalised, wrapper, w)) for w in weights]

    def _weights(self, model: nn.Module) -> list[nn.Parameter]:
        norms: list[_BatchNorm] = list(backbone_layers(model, MAP_NORMS).values())
        if self.heads:
            norms += [m for m in model.modules() if isinstance(m, nn.BatchNorm1d)]
        weights = [m.weight for m in norms if m.weight is not None and m.weight.requires_grad]
        if not weights:
            raise UserError(
                'SparsityHook: no BatchNorm of this model is trained. Take a backbone with '
                "BatchNorm, and norm_cfg=dict(type='BN', requires_grad=True)."
            )
        return weights

    def _penalised(self, wrapper: OptimWrapper, weight: Tensor, gradient: Tensor) -> Tensor:
        # A term of the loss: divided by the number of accumulated batches and multiplied by
        # the loss scale of mixed precision as the loss itself.
        penalty = wrapper.scale_loss(self.scale * weight.detach().sign())
        scaler = getattr(wrapper, 'loss_scaler', None)
        return gradient + (scaler.scale(penalty) if scaler else penalty)
