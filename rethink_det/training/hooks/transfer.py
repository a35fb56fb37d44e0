"""Putting weights into a model that is about to train, and proving that they arrived."""

from collections import Counter
from collections.abc import Mapping
from os import PathLike

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from rethink_det.architecture.checkpoint import (
    WEIGHTS,
    digest,
    load_checkpoint,
    load_exactly,
    state_dict_of,
)
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.arms import ARMS
from rethink_det.errors import UserError
from rethink_det.registry import HOOKS
from rethink_det.training.model import model_of


@HOOKS.register_module()
class TransferHook(Hook):
    """Load a part of a model from a checkpoint, all of it or not at all.

    Weights go in at ``before_train``: at ``before_run`` MMEngine's ``init_weights`` would
    overwrite them. On resume nothing is loaded, the checkpoint of the run has it all.

    Every tensor of that part is loaded or the run is refused; tensors of the checkpoint that
    belong to other parts are named in the log, as are those of the model that keep their own
    values. The arm, the source and the digest of the tensors go to the log and into
    ``meta['provenance']`` of every checkpoint. A model that normalises its images otherwise
    than the weights were trained with is warned about.

    Args:
        arm: Name of the arm (:mod:`rethink_det.arms`).
        checkpoint: Where the weights come from; none for an arm that takes none (``random``).
        part: Which part of the model: ``'backbone'``, or ``None`` for the whole model
            (fine-tuning a classifier).
        key: Which weights of the checkpoint: ``'state_dict'``, or ``'initial'`` for the
            lottery ticket of a pruned one.
        rest: A second part, ``'roi_head.shared_head'``, which has those stages of the
            checkpoint's ``part`` that the model's own leaves out (detectors on C4).

    Raises:
        UserError: An unknown arm, a checkpoint where the arm takes none, none where it needs
            one, or one that is missing, damaged or of another architecture (names the tensor).
    """

    def __init__(
        self,
        arm: str,
        checkpoint: str | PathLike | None = None,
        part: str | None = 'backbone',
        key: str = WEIGHTS,
        rest: str | None = None,
    ) -> None:
        if (checkpoint is not None) != any(one.takes_weights for one in ARMS.named(arm)):
            raise UserError(
                f'TransferHook: arm {arm!r} '
                + ('needs a checkpoint.' if checkpoint is None else 'takes no checkpoint.')
            )
        self.arm, self.checkpoint, self.part, self.key = arm, checkpoint, part, key
        self.rest = rest
        self.proof: dict = {'arm': arm}

    def before_train(self, runner: Runner) -> None:
        """Load the weights; refuse a partial load."""
        if self.checkpoint is None:
            runner.logger.info(f'Arm {self.arm}: no weights are transferred.')
            return
        model, checkpoint = model_of(runner), load_checkpoint(self.checkpoint)
        state, left_out = self._split(state_dict_of(checkpoint, self.checkpoint, self.key))
        self.proof.update(
            parent=str(self.checkpoint), parent_digest=digest(state), tensors=len(state)
        )
        self._check_inputs(runner, model, checkpoint)
        if runner.iter > 0:
            runner.logger.info(f'Arm {self.arm}: resumed, weights are those of the run itself.')
            return
        kept = self._load(model, state)
        runner.logger.info(
            f'Arm {self.arm}: all {len(state)} tensors of {self.part or "the model"} loaded from '
            f'{self.checkpoint}, digest {self.proof["parent_digest"]}.'
            f'{_named(" Left out: ", left_out)}{_named(" Not in it, kept as they were: ", kept)}'
        )

    def check(self, model: nn.Module) -> None:
        """Refuse what :meth:`before_train` would, before there is a run.

        Args:
            model: Of the run; its own weights do not matter, it may be on the meta device, and
                it is of no use afterwards.

        Raises:
            UserError: As of the class.
        """
        if self.checkpoint is not None:
            state = state_dict_of(load_checkpoint(self.checkpoint), self.checkpoint, self.key)
            self._load(model, self._split(state)[0], assign=True)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Write the proof into the checkpoint."""
        checkpoint['meta'].setdefault('provenance', {}).update(self.proof)

    def _split(self, state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """The tensors of the part, under its own names, and the names of the others."""
        prefix = f'{self.part}.' if self.part else ''
        own = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
        return own, [name for name in state if not name.startswith(prefix)]

    def _load(
        self, model: nn.Module, state: Mapping[str, Tensor], assign: bool = False
    ) -> list[str]:
        """Fill the part, and the rest; returns which tensors of theirs were left alone."""
        part = model.get_submodule(self.part) if self.part else model
        rest = model.get_submodule(self.rest) if self.rest else nn.Module()
        stages = tuple(f'{name}.' for name, _ in rest.named_children())
        kept = []
        for name, module in ((self.part, part), (self.rest, rest)):
            wanted = {n: t for n, t in state.items() if n.startswith(stages) == (module is rest)}
            try:
                load_exactly(module, wanted, assign)
            except UserError as error:
                place = name or 'the model'
                raise UserError(f'{self.checkpoint} into {place}: {error}') from None
            kept += [n for n in module.state_dict() if n not in wanted]
        return kept

    def _check_inputs(self, runner: Runner, model: nn.Module, checkpoint: Mapping) -> None:
        trained = InputConvention.of_checkpoint(checkpoint, self.checkpoint)
        own = InputConvention.of(getattr(model, 'data_preprocessor', None))
        if trained is None:
            runner.logger.warning(
                f'{self.checkpoint} does not say how its images were normalised: it is unknown '
                f'whether that was as here ({own or "not at all"}).'
            )
        elif trained != own:
            runner.logger.warning(
                f'The weights of {self.checkpoint} were trained on images in {trained}; the model '
                f'gives them {own or "images as they are"}. Set model.data_preprocessor.'
            )


def _named(title: str, names: list[str]) -> str:
    """The names in short: tensors that end alike are counted, ``53 x num_batches_tracked``."""
    if not names:
        return ''
    if len(names) <= 4:
        return f'{title}{", ".join(names)}.'
    ends = Counter(name.rpartition('.')[2] for name in names)
    return f'{title}{", ".join(f"{count} x {end}" for end, count in ends.items())}.'
