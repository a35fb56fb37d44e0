"""Removed weights that stay removed while the others train."""

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from rethink_det.architecture import weight_masks
from rethink_det.architecture.weight_masks import WeightMasks
from rethink_det.training.hooks.describing import DescribingHook


class MaskingHook(DescribingHook):
    """Base of the hooks that train under weight masks.

    Every checkpoint gets the masks, and its architecture their description.

    Attributes:
        masks: The masks in force, on the device of their weights.
    """

    priority = 'BELOW_NORMAL'  # after TransferHook and ProvenanceHook, before any saving

    def __init__(self) -> None:
        self.masks: dict[str, Tensor] = {}
        self._handles: list[RemovableHandle] = []
        self._held: nn.Module | None = None

    def hold(self, model: nn.Module, masks: WeightMasks) -> None:
        """Put masks in force, in place of any before: removed weights and their gradients are 0.

        With a gradient of 0, weight decay and an empty momentum leave a weight at exactly 0. Masks
        of the same weights are the same tensors ever after: a recorded step reads those.

        Raises:
            UserError: The masks are of another network.
        """
        weight_masks.apply(model, masks)
        parameters = dict(model.named_parameters())
        if self._held is model and self.masks.keys() == masks.keys():
            for name, mask in masks.items():
                self.masks[name].copy_(mask)
            return
        self._held = model
        self.masks = {name: mask.to(parameters[name].device) for name, mask in masks.items()}
        for handle in self._handles:
            handle.remove()
        self._handles = [
            parameters[name].register_hook(_Silence(mask))
            for name, mask in self.masks.items()
            if parameters[name].requires_grad
        ]


class _Silence:
    """A tensor hook: the gradient without that of removed weights."""

    def __init__(self, kept: Tensor) -> None:
        self.kept = kept

    def __call__(self, gradient: Tensor) -> Tensor:
        return gradient.masked_fill(~self.kept, 0)
