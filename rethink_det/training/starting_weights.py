"""The weights that a run starts from, by ``load_from``: all that the model has, or it is said.

A detector trained on COCO is often the start of one with other classes: its last layers are of
another shape and keep the values that they are drawn with. That is asked for by
``load_partial=True``; otherwise a part would be taken for the whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from rethink_det.architecture.checkpoint import WEIGHTS, Checkpoint
from rethink_det.architecture.fitting import Fit, fit
from rethink_det.architecture.state_dicts import fitted
from rethink_det.errors import UserError

EMA, PARTIAL = 'load_ema', 'load_partial'
"""Keys of a config: take the averaged weights; take what fits, and draw the rest."""


class MisfitError(UserError):
    """Weights leave a tensor of the model as it is that they are to fill."""


@dataclass(frozen=True)
class StartingWeights:
    """Weights by the names of a model, and how far they fill it."""

    path: str
    state: Mapping[str, Tensor]
    fit: Fit

    @classmethod
    def of(cls, model: nn.Module, checkpoint: Checkpoint) -> 'StartingWeights':
        """Those of a checkpoint; nothing is loaded, nothing refused."""
        state = fitted(checkpoint.state_dict, model.state_dict(), checkpoint.path)
        return cls(checkpoint.path, state, fit(model, state))

    def check_whole(self) -> None:
        """Refuse weights that leave a tensor of the model as it is.

        Raises:
            MisfitError: Says how many fit, and names those that do not.
        """
        if not self.fit.complete:
            raise MisfitError(f'{self.path} does not fit the config: {self.fit}.')

    def check_start(self, partial: bool) -> str | None:
        """Refuse a start that is none, or a part that nobody asked for.

        Args:
            partial: Whether a part was asked for.

        Returns:
            What is left out, and what keeps the values that it is drawn with; None if nothing.

        Raises:
            UserError: As of :meth:`check_whole`, with what to do.
        """
        if not self.fit.filled:
            raise UserError(
                f'{self.path} fits no tensor of the model: {self.fit}. A classifier is the '
                'backbone of a detector by --backbone, or by model.backbone.init_cfg=dict(type='
                "'Pretrained', checkpoint=...); otherwise leave out load_from."
            )
        if not self.fit.complete and not partial:
            raise UserError(
                f'{self.path} fits a part of the model: {self.fit}. If the rest shall be drawn at '
                'random (another number of classes, another head), say so by --load-partial, or '
                f'{PARTIAL}=True in the config.'
            )
        if self.fit.complete and not self.fit.unexpected:
            return None
        return f'load_from {self.path}: {self.fit}. What it does not fill is drawn at random.'


class StartingWeightsHook(Hook):
    """Has MMEngine load weights under the names of the model.

    Args:
        weights: Those that it is about to load, as they were checked.
    """

    priority = 'HIGHEST'

    def __init__(self, weights: StartingWeights) -> None:
        self.weights = weights

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Exchange what was read."""
        checkpoint[WEIGHTS] = self.weights.state
