"""Putting weights into a model that is about to train, and proving that they arrived."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from os import PathLike

from mmengine.runner import Runner
from torch import Tensor, nn

from rethink_det.architecture.building import left_out
from rethink_det.architecture.checkpoint import TICKET, WEIGHTS, Checkpoint
from rethink_det.architecture.fitting import load_exactly
from rethink_det.architecture.grafting import grafted
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.architecture.network import BACKBONE
from rethink_det.architecture.provenance import Parent
from rethink_det.arms import AFTER_PRUNING, ARMS, CLASSIFICATION, DETECTION, Arm
from rethink_det.convert import library_checkpoint
from rethink_det.errors import UserError
from rethink_det.packages import is_library_name
from rethink_det.registry import HOOKS
from rethink_det.training.arm_weights import check_weights
from rethink_det.training.hooks.describing import DescribingHook
from rethink_det.training.model import backbone_of, detectors_of, model_of


@HOOKS.register_module()
class TransferHook(DescribingHook):
    """Load a part of a model from a checkpoint, all of it or not at all.

    Weights go in at ``before_train``: at ``before_run`` MMEngine's ``init_weights`` would
    overwrite them. On resume nothing is loaded and nothing else is read, the checkpoint of the run
    has it all: also in another folder, or when the file that it started from is gone.

    Every tensor of that part is loaded or the run is refused; tensors of the checkpoint that
    belong to other parts are named in the log, as are those of the model that keep their own
    values. The arm, the source and the digest of the tensors go to the log and into
    the provenance of every checkpoint. A model that normalises its images otherwise
    than the weights were trained with is warned about.

    Weights of another arm are refused (:mod:`~rethink_det.training.arm_weights`). Where a file
    does not say which arm its weights are of, the log does.

    Args:
        arm: Name of the arm (:data:`rethink_det.arms.ARMS`).
        checkpoint: Where the weights come from, a file or ``timm:NAME``, ``torchvision:NAME``; None
            for an arm that takes none.
        part: Which part of the model: ``'backbone'``, or ``None`` for the whole model
            (fine-tuning a classifier).
        key: Which weights of the checkpoint: ``'state_dict'``, or ``'initial'`` for the
            lottery ticket of a pruned one.
        rest: A second part, ``'roi_head.shared_head'``, which has those stages of the
            checkpoint's ``part`` that the model's own leaves out (detectors on C4).
        untuned: Take a pruned network that was not fine-tuned in the place of one that was.
        ema: Take the weights of the checkpoint that were averaged over its training.

    Raises:
        UserError: An unknown arm, a checkpoint where the arm has none, none where it needs one,
            or one that is missing, damaged, of another arm or of another architecture (names the
            tensor).
    """

    def __init__(
        self,
        arm: str,
        checkpoint: str | PathLike | None = None,
        part: str | None = 'backbone',
        key: str = WEIGHTS,
        rest: str | None = None,
        untuned: bool = False,
        ema: bool = False,
    ) -> None:
        self._arm = _arm(arm, part)
        if untuned:
            self._arm = ARMS.untuned(self._arm)
        if (checkpoint is None) == self._arm.takes_weights:
            raise UserError(
                f'TransferHook: arm {arm!r} '
                + ('needs a checkpoint.' if checkpoint is None else 'takes no checkpoint.')
            )
        if is_library_name(checkpoint):
            checkpoint = library_checkpoint(str(checkpoint))
        self.arm, self.checkpoint, self.part, self.key = arm, checkpoint, part, key
        self.rest, self.ema = rest, ema

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """On resume, take from the run's own checkpoint where its weights came from."""
        if runner.cfg.get('resume'):
            self.parent = Checkpoint.from_dict(checkpoint).provenance.parent

    def before_train(self, runner: Runner) -> None:
        """Load the weights; refuse a partial load."""
        if self.checkpoint is None:
            runner.logger.info(f'Arm {self.arm}: no weights are transferred.')
            return
        if runner.iter > 0 and self.parent is not None:
            runner.logger.info(f'Arm {self.arm}: resumed, weights are those of the run itself.')
            return
        model, checkpoint = model_of(runner), Checkpoint.read(self.checkpoint, self.ema)
        state, others = self._split(model, self._tensors(checkpoint))
        self.parent = self._parent(runner, checkpoint, state)
        self._check_inputs(runner, model, checkpoint)
        if runner.iter > 0:
            runner.logger.info(f'Arm {self.arm}: resumed, weights are those of the run itself.')
            return
        kept = self._load(model, state)
        runner.logger.info(
            f'Arm {self.arm}: all {len(state)} tensors of {self.part or "the model"} loaded from '
            f'{self.checkpoint}, digest {self.parent.digest}.'
            f'{_named(" Left out: ", others)}{_named(" Not in it, kept as they were: ", kept)}'
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
            checkpoint = Checkpoint.read(self.checkpoint, self.ema)
            check_weights(self._arm, checkpoint)
            self._load(model, self._split(model, self._tensors(checkpoint))[0], assign=True)

    def _parent(
        self, runner: Runner, checkpoint: Checkpoint, state: Mapping[str, Tensor]
    ) -> Parent:
        """Where the weights come from, after a look at whether they may."""
        unknown = check_weights(self._arm, checkpoint)
        if unknown:
            runner.logger.warning(unknown)
        parent = checkpoint.as_parent(state)
        if not self._arm.untuned:
            return parent
        runner.logger.warning(f'Arm {self.arm}: {self.checkpoint} is pruned and not fine-tuned.')
        return replace(parent, arm=AFTER_PRUNING)

    def _tensors(self, checkpoint: Checkpoint) -> dict[str, Tensor]:
        return checkpoint.ticket if self.key == TICKET else checkpoint.weights

    def _split(
        self, model: nn.Module, state: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], list[str]]:
        """The tensors of the part, under its own names, and the names of the others.

        Among these are the stages that nothing in the detector reads, which it was built without.
        """
        prefix = f'{self.part}.' if self.part else ''
        absent = tuple(f'{BACKBONE}{name}.' for name in self._absent(model))
        own = [n for n in state if n.startswith(prefix) and not n.startswith(absent)]
        return {n.removeprefix(prefix): state[n] for n in own}, [n for n in state if n not in own]

    def _absent(self, model: nn.Module) -> set[str]:
        """Stages of the backbone's architecture that neither it has nor the rest."""
        detector = next(iter(detectors_of(model).values()))
        rest = detector.get_submodule(self.rest) if self.rest else nn.Module()
        return left_out(backbone_of(model)[1]) - {name for name, _ in rest.named_children()}

    def _load(
        self, model: nn.Module, state: Mapping[str, Tensor], assign: bool = False
    ) -> list[str]:
        """Fill the part, and the rest; returns which tensors of theirs were left alone."""
        if self.part is None:
            return self._fill('', model, state, assign)
        detectors = detectors_of(model).items()
        return [kept for name, one in detectors for kept in self._fill(name, one, state, assign)]

    def _fill(
        self, prefix: str, model: nn.Module, state: Mapping[str, Tensor], assign: bool
    ) -> list[str]:
        """As of `_load`, of the model itself or of a detector in it."""
        part = model.get_submodule(self.part) if self.part else model
        rest = model.get_submodule(self.rest) if self.rest else nn.Module()
        stages = tuple(f'{name}.' for name, _ in rest.named_children())
        kept = []
        for name, module in ((self.part, part), (self.rest, rest)):
            wanted = {n: t for n, t in state.items() if n.startswith(stages) == (module is rest)}
            try:
                load_exactly(module, {**_new(module, wanted), **wanted}, assign)
            except UserError as error:
                place = f'{prefix}{name}' if name else 'the model'
                raise UserError(f'{self.checkpoint} into {place}: {error}') from None
            kept += [n for n in module.state_dict() if n not in wanted]
        return kept

    def _check_inputs(self, runner: Runner, model: nn.Module, checkpoint: Checkpoint) -> None:
        trained = checkpoint.input_convention
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


def _new(module: nn.Module, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of what a detector put into a backbone, which keep their own values."""
    return {n: t for n, t in module.state_dict().items() if n in grafted(module) and n not in given}


def _arm(name: str, part: str | None) -> Arm:
    """The arm of that name whose weights the hook brings; of two that of a detector, for a part.

    Classifiers that start from random weights have no such hook.
    """
    arms = [arm for arm in ARMS.named(name) if arm.stage == DETECTION or arm.takes_weights]
    if not arms:
        raise UserError(f'TransferHook: arm {name!r} takes no weights: leave the hook out.')
    stage = CLASSIFICATION if part is None else DETECTION
    return next((arm for arm in arms if arm.stage == stage), arms[0])


def _named(title: str, names: list[str]) -> str:
    """The names in short: tensors that end alike are counted, ``53 x num_batches_tracked``."""
    if not names:
        return ''
    if len(names) <= 4:
        return f'{title}{", ".join(names)}.'
    ends = Counter(name.rpartition('.')[2] for name in names)
    return f'{title}{", ".join(f"{count} x {end}" for end, count in ends.items())}.'
