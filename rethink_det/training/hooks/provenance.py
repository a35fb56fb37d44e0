"""Every checkpoint says what it is and where it comes from."""

from mmengine.runner import Runner

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.arms import ARMS
from rethink_det.registry import HOOKS
from rethink_det.training.hooks.describing import DescribingHook


@HOOKS.register_module()
class ProvenanceHook(DescribingHook):
    """Describe every checkpoint, whatever other hooks there are.

    With ``architecture`` a checkpoint rebuilds its own network; ``input_convention`` says how
    its images are normalised; ``provenance`` holds the arm, the seed, the training data, the
    versions, the config's digest, and the weights that the run started from, those of MMEngine's
    ``load_from`` as well.

    Args:
        arm: Name of the run's arm, where no ``TransferHook`` says it and it is not the
            unpruned network's: of a classifier that starts from random weights.

    Raises:
        UserError: An unknown arm.
    """

    def __init__(self, arm: str | None = None) -> None:
        if arm is not None:
            ARMS.named(arm)  # refuses an unknown one
        self.arm = arm

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember the weights that the run starts from, on resume those it started from."""
        source = Checkpoint.from_dict(checkpoint, str(runner.cfg.get('load_from')))
        resumed = runner.cfg.get('resume')
        self.parent = source.provenance.parent if resumed else source.as_parent()
