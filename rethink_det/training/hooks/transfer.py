"""Putting weights into a model that is about to train, and proving that they arrived."""

from os import PathLike

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from rethink_det.architecture.checkpoint import (
    WEIGHTS,
    digest,
    load_checkpoint,
    load_exactly,
    state_dict_of,
)
from rethink_det.errors import UserError
from rethink_det.registry import HOOKS


@HOOKS.register_module()
class TransferHook(Hook):
    """Load a part of a model from a checkpoint, all of it or not at all.

    Weights go in at ``before_train``: at ``before_run`` MMEngine's ``init_weights`` would
    overwrite them. On resume nothing is loaded, the checkpoint of the run has it all.

    The arm, the source and the digest of the tensors go to the log and into
    ``meta['provenance']`` of every checkpoint.

    Args:
        arm: Name of the arm: ``'unpruned'``, ``'prune-c'``, ``'scratch-e'``, ...
        checkpoint: Where the weights come from; none for ``arm='random'``.
        part: Which part of the model: ``'backbone'``, or ``None`` for the whole model
            (fine-tuning a classifier).
        key: Which weights of the checkpoint: ``'state_dict'``, or ``'initial'`` for the
            lottery ticket of a pruned one.

    Raises:
        UserError: A checkpoint where the arm has none, none where it needs one, or one
            that is missing, damaged or of another architecture (names the tensor).
    """

    def __init__(
        self,
        arm: str,
        checkpoint: str | PathLike | None = None,
        part: str | None = 'backbone',
        key: str = WEIGHTS,
    ) -> None:
        if (checkpoint is None) != (arm == 'random'):
            raise UserError(
                f'TransferHook: arm {arm!r} '
                + ('needs a checkpoint.' if checkpoint is None else 'takes no checkpoint.')
            )
        self.arm, self.checkpoint, self.part, self.key = arm, checkpoint, part, key
        self.proof: dict = {'arm': arm}

    def before_train(self, runner: Runner) -> None:
        """Load the weights; refuse a partial load."""
        if self.checkpoint is None:
            runner.logger.info(f'Arm {self.arm}: no weights are transferred.')
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        target = model.get_submodule(self.part) if self.part else model
        state = self._source_state()
        self.proof.update(
            parent=str(self.checkpoint), parent_digest=digest(state), tensors=len(state)
        )
        if runner.iter > 0:
            runner.logger.info(f'Arm {self.arm}: resumed, weights are those of the run itself.')
            return
        try:
            load_exactly(target, state)
        except UserError as error:
            raise UserError(f'{self.checkpoint} into {self.part or "the model"}: {error}') from None
        runner.logger.info(
            f'Arm {self.arm}: all {len(state)} tensors of {self.part or "the model"} loaded from '
            f'{self.checkpoint}, digest {self.proof["parent_digest"]}.'
        )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Write the proof into the checkpoint."""
        checkpoint['meta'].setdefault('provenance', {}).update(self.proof)

    def _source_state(self) -> dict:
        state = state_dict_of(load_checkpoint(self.checkpoint), self.checkpoint, self.key)
        if not self.part:
            return state
        prefix = f'{self.part}.'
        return {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
