"""Which weights an arm takes: those of one arm, or of one step, and no others.

A detector that is called Prune-C has the backbone that arm fine-tune trained. A checkpoint says
which arm its weights are of, so that no other is taken for it. The same goes for the network that
a study is given in place of the one that it would train and prune.
"""

from dataclasses import dataclass

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.provenance import Provenance
from rethink_det.arms import (
    AFTER_CONVERSION,
    AFTER_PRUNING,
    ARMS,
    CLASSIFICATION,
    DETECTION,
    STEPS,
    Arm,
    Start,
)
from rethink_det.errors import UserError

_PARTS_OF_A_CLASSIFIER = ('backbone.', 'head.')


@dataclass(frozen=True)
class ArmWeights:
    """Weights that an arm takes, in the terms of a provenance.

    Attributes:
        stage: Whether they are a classifier's or a whole detector's.
        arm: Name of the arm that trained them, or of the step that wrote them.
        pruned: Whether they are of a pruned network.
        parent_arms: Of a pruned network: arms of what was pruned; none if any will do.
        taker: The arm that takes them; None for a study that is given its unpruned network.
    """

    stage: str
    arm: str
    pruned: bool
    parent_arms: tuple[str, ...] = ()
    taker: Arm | None = None

    def __str__(self) -> str:
        if self.arm not in STEPS:
            return f'those of arm {self.arm}'
        origin = f' of arm {" or ".join(self.parent_arms)}' if self.parent_arms else ''
        network = 'detector' if self.stage == DETECTION else 'classifier'
        return f'those that pruning a {network}{origin} wrote'

    @property
    def taken_by(self) -> str:
        """In words, who takes them."""
        return f'arm {self.taker.name}' if self.taker else 'a study that is given its parent'

    def have_written(self, provenance: Provenance) -> bool:
        """Whether a file that says where it comes from has such weights."""
        any_parent = not self.parent_arms or _parent_arm(provenance) is None
        return provenance.arm == self.arm and (
            any_parent or _parent_arm(provenance) in self.parent_arms
        )


def weights_of(arm: Arm) -> ArmWeights:
    """What an arm takes that takes weights."""
    if arm.whole and not arm.pruned:
        return ArmWeights(DETECTION, _trained_with(ARMS.source_of(arm)), False, taker=arm)
    if arm.whole:
        before = (_trained_with(ARMS.source_of(arm)), arm.name)  # it may be pruned once more
        return ArmWeights(DETECTION, AFTER_PRUNING, True, before, taker=arm)
    if arm.stage == CLASSIFICATION or arm.untuned:
        return ArmWeights(CLASSIFICATION, AFTER_PRUNING, True, taker=arm)
    return ArmWeights(CLASSIFICATION, ARMS.source_of(arm).name, arm.pruned, taker=arm)


def check_weights(arm: Arm, checkpoint: Checkpoint) -> str | None:
    """Refuse weights that are not those of the arm.

    Args:
        arm: One that takes weights.
        checkpoint: What it is given.

    Returns:
        What is not known of the weights, a sentence; None if the checkpoint says it all.

    Raises:
        UserError: The checkpoint is of another arm, or of a detector instead of a classifier, or
            the other way round; names the file, both arms and a remedy.
    """
    check_kind(arm, checkpoint)
    return _checked(weights_of(arm), checkpoint)


def check_given_parent(checkpoint: Checkpoint) -> str | None:
    """Refuse what is not the unpruned network; as :func:`check_weights`."""
    reference = ARMS.reference(CLASSIFICATION)
    return _checked(ArmWeights(CLASSIFICATION, reference.name, reference.pruned), checkpoint)


def _checked(wanted: ArmWeights, checkpoint: Checkpoint) -> str | None:
    provenance = checkpoint.provenance
    if provenance.arm in (None, AFTER_CONVERSION):
        _check_shape(wanted, checkpoint)
        nothing = 'a file that says nothing of its arm'
        origin = STEPS[provenance.arm] if provenance.arm else nothing
        return (
            f'{checkpoint.path}: {origin}, so it is not known which arm its weights are of; '
            f'{wanted.taken_by} takes {wanted}.'
        )
    if not wanted.have_written(provenance):
        raise UserError(
            f'{checkpoint.path}: its weights are {_origin(provenance)}, but {wanted.taken_by} '
            f'takes {wanted}. {_remedy(wanted, provenance)}'
        )
    if wanted.parent_arms and _parent_arm(provenance) is None:
        return (
            f'{checkpoint.path} does not say which arm the detector was of that was pruned; '
            f'{wanted.taken_by} takes {wanted}.'
        )
    return None


def check_kind(arm: Arm, checkpoint: Checkpoint) -> None:
    """Refuse a classifier where an arm takes a whole detector, and the other way round.

    Raises:
        UserError: Names the file and what to do.
    """
    stage = weights_of(arm).stage
    whole = any(not name.startswith(_PARTS_OF_A_CLASSIFIER) for name in checkpoint.weights)
    if stage == DETECTION and not whole:
        raise UserError(
            f'{checkpoint.path} is of a classifier, and arm {arm.name} goes on from a whole '
            'detector: prune one by rethink-det prune DETECTOR_CONFIG CHECKPOINT, or take arm '
            f'{ARMS.baseline(DETECTION).name}.'
        )
    if whole and stage == CLASSIFICATION:
        able = ARMS.starting_from(Start.DETECTOR).name
        raise UserError(
            f'{checkpoint.path} is of a detector, and arm {arm.name} takes the backbone of a '
            f'classifier. A detector that was pruned itself is arm {able}.'
        )


def _trained_with(source: Arm) -> str:
    """The arm of a detector whose backbone is that of a classification arm."""
    arms = (arm for arm in ARMS.of(DETECTION) if arm.start is Start.CLASSIFIER)
    return next(arm.name for arm in arms if arm.source == source.name)


def _parent_arm(provenance: Provenance) -> str | None:
    return provenance.parent.arm if provenance.parent else None


def _check_shape(wanted: ArmWeights, checkpoint: Checkpoint) -> None:
    """What a file says that does not name its arm: whether it is pruned."""
    if checkpoint.architecture is None:
        return
    architecture = PrunedArchitecture.load(checkpoint)
    pruned = architecture != architecture.base
    if pruned != wanted.pruned:
        kinds = {True: 'a pruned', False: 'an unpruned'}
        raise UserError(
            f'{checkpoint.path} is of {kinds[pruned]} network, but {wanted.taken_by} takes '
            f'{wanted}, {kinds[wanted.pruned]} one.'
        )


def _origin(provenance: Provenance) -> str:
    origin = STEPS.get(str(provenance.arm), f'of arm {provenance.arm}')
    before = provenance.arm == AFTER_PRUNING and _parent_arm(provenance)
    return f'{origin} (of arm {before} before)' if before else origin


def _remedy(wanted: ArmWeights, provenance: Provenance) -> str:
    arm, remedies = wanted.taker, ['Give such a checkpoint']
    if arm is None:
        return f'{remedies[0]}, or none, and the study trains one.'
    if provenance.arm == AFTER_PRUNING and ARMS.may_be_untuned(arm):
        remedies.append(
            f'train this one by --arm {arm.source} first, or take it as it is by --arm-settings '
            'untuned=True'
        )
    fitting = _fitting(arm.stage, wanted.stage, provenance)
    if arm.name in fitting:
        remedies.append('leave out untuned=True')
    elif fitting:
        remedies.append(f'take --arm {" or ".join(fitting)}')
    if wanted.arm == AFTER_PRUNING:
        remedies.append('write one by rethink-det prune')
    return f'{", or ".join(remedies)}.'


def _fitting(stage: str, kind: str, provenance: Provenance) -> list[str]:
    """Names of the arms of a stage that take such a file, which is of that kind of network."""
    arms = {arm.name: weights_of(arm) for arm in ARMS.of(stage) if arm.takes_weights}
    return [n for n, w in arms.items() if w.stage == kind and w.have_written(provenance)]
