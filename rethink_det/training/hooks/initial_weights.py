"""The weights a training starts from, kept for a lottery ticket.

Paper: The Lottery Ticket Hypothesis (Frankle and Carbin, arXiv 1803.03635), section 1: a ticket
is trained again from the weights that the unpruned network had in the beginning.
"""

from dataclasses import replace
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.architecture.checkpoint import WEIGHTS, Checkpoint
from rethink_det.arms import BEFORE_TRAINING
from rethink_det.layout import INITIAL
from rethink_det.registry import HOOKS
from rethink_det.training.hooks.describing import described
from rethink_det.training.hooks.transfer import TransferHook
from rethink_det.training.model import model_of


@HOOKS.register_module()
class InitialWeightsHook(Hook):
    """Write ``initial.pth`` into the work dir, just before the first step.

    Only of an unpruned classifier, not on resume, and not if the weights came from elsewhere
    (``load_from``, or a :class:`TransferHook` with a checkpoint): they are no initialisation.
    """

    priority = 'VERY_LOW'  # after all that changes the weights
    """Among the hooks of a run, in MMEngine's words."""

    def before_train(self, runner: Runner) -> None:
        """Write the file, in the main process."""
        architecture = getattr(model_of(runner), 'architecture', None)
        baseline = architecture is not None and architecture == architecture.base
        first = baseline and runner.iter == 0 and is_main_process()
        if first and not _came_from_elsewhere(runner):
            _initial(runner).write(Path(runner.work_dir) / INITIAL)


def _came_from_elsewhere(runner: Runner) -> bool:
    transfers = (hook for hook in runner.hooks if isinstance(hook, TransferHook))
    return bool(runner.cfg.get('load_from')) or any(hook.checkpoint for hook in transfers)


def _initial(runner: Runner) -> Checkpoint:
    model = model_of(runner)
    state = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    later = described(runner, {WEIGHTS: state})
    return replace(
        later,
        architecture=model.architecture.to_dict(),
        masks={},  # whatever the training is going to remove
        provenance=replace(later.provenance, arm=BEFORE_TRAINING),
    )
