"""Whether a checkpoint is of the model of a config, found out before anything is run."""

from mmengine.config import Config

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.registered import build, scope_of
from rethink_det.registry import MODELS
from rethink_det.training.starting_weights import StartingWeights


def misfit(config: Config, checkpoint: Checkpoint) -> str | None:
    """What of a config's model a checkpoint does not fill, in words; None if it fills all of it.

    Args:
        config: Of a training.
        checkpoint: With weights of whatever model.

    Raises:
        UserError: The model cannot be built.
    """
    with scope_of(config, 'mmdet'):
        model = build(MODELS, config.get('model') or {})
    fit = StartingWeights.of(model, checkpoint).fit
    return None if fit.complete else str(fit)
