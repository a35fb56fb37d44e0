"""Training a network of which single weights were removed.

Paper: Learning both Weights and Connections for Efficient Neural Networks (Han et al., arXiv
1506.02626), section 3: the weights that are left are trained on.
Deviation: The fresh start (``redraw``) is that of arXiv 1810.05270: the standard deviation is
that of a dense network, by fan-out, with the weights that are there counted instead of all.
"""

from os import PathLike

import torch
from mmengine.dist import broadcast
from mmengine.runner import Runner
from torch import nn

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.weight_masks import WeightMasks, check_fit, weights_kept
from rethink_det.errors import UserError
from rethink_det.registry import HOOKS
from rethink_det.training.hooks.masking import MaskingHook
from rethink_det.training.model import model_of


@HOOKS.register_module()
class MaskHook(MaskingHook):
    """Train under the weight masks of a checkpoint.

    Weights that were removed are 0 from the first step to the last, whatever else loads
    weights before the training (:class:`~rethink_det.training.TransferHook`).

    Args:
        checkpoint: Where the masks are.
        redraw: Draw the masked convolutions anew before the first step, which is training
            from scratch; otherwise the weights already in the model are masked.
        part: Which part of the model is masked: ``'backbone'`` for a detector whose backbone
            comes from a classifier, or ``None`` for all masks.

    Raises:
        UserError: The checkpoint is missing, has no masks (for that part), or masks of another
            network (names the parameter).
    """

    def __init__(
        self, checkpoint: str | PathLike, redraw: bool = False, part: str | None = None
    ) -> None:
        super().__init__()
        self.checkpoint, self.redraw, self.part = checkpoint, redraw, part

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """On resume, take the masks from the run's own checkpoint."""
        if runner.cfg.get('resume'):
            self.masks = dict(Checkpoint.from_dict(checkpoint).masks)

    def before_train(self, runner: Runner) -> None:
        """Put the masks in force; on resume the weights have been drawn long ago."""
        model, masks = model_of(runner), self.masks or self._read()
        try:
            check_fit(model, masks)
        except UserError as error:
            raise UserError(f'{self.checkpoint}: {error}') from None
        if self.redraw and runner.iter == 0:
            redraw(model, masks)
        self.hold(model, masks)
        left, total = (
            sum(weights_kept(masks).values()),
            sum(mask.numel() for mask in masks.values()),
        )
        runner.logger.info(f'{left} of {total} weights are left by {self.checkpoint}.')

    def _read(self) -> WeightMasks:
        masks = Checkpoint.read(self.checkpoint).masks
        if not masks:
            raise UserError(
                f'{self.checkpoint} has no masks: it does not come from unstructured pruning. Use '
                'the checkpoint that the pruner wrote, or none for a dense network.'
            )
        if not self.part:
            return masks
        own = {name: mask for name, mask in masks.items() if name.startswith(f'{self.part}.')}
        if not own:
            raise UserError(
                f'{self.checkpoint} has no masks of {self.part}, only {", ".join(masks)}.'
            )
        return own


@torch.no_grad()
def redraw(model: nn.Module, masks: WeightMasks) -> None:
    """Draw masked convolutions from N(0, sqrt(2 / n)), the same in every process.

    ``n`` is the number of weights left per input channel of a group, at least 1: a dense
    layer's fan-out, and the fewer weights are left, the larger they are.
    """
    parameters = dict(model.named_parameters())
    for name, mask in masks.items():
        if mask.dim() == 4:
            fan = max(int(mask.sum()) / mask.shape[1], 1)
            parameters[name].normal_(0, (2 / fan) ** 0.5)
            broadcast(parameters[name].data)
