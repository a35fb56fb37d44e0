"""Turning the config that trains a big classifier into the config of an arm."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.backbone import configured_architecture
from rethink_det.architecture.checkpoint import TICKET
from rethink_det.architecture.flops import CONV_LINEAR, check_convention, flops
from rethink_det.architecture.network import RUNTIME_KEYS
from rethink_det.arms import ARMS as ARM_TABLE
from rethink_det.arms import CLASSIFICATION, Arm, BudgetRule, Start
from rethink_det.bounds import MOST_EPOCHS, MOST_TIMES, check_number
from rethink_det.errors import UserError
from rethink_det.files import plain
from rethink_det.moved import old_names
from rethink_det.registered import is_type
from rethink_det.registry import HOOKS
from rethink_det.report.schema import within
from rethink_det.training import Budget, constant
from rethink_det.training.budget import (
    LEAST_SCHEDULE,
    NEAREST,
    Base,
    check_own_budget,
    own_epochs,
    share,
)

PRUNING_HOOKS = (
    'rethink_det.SparsityHook',
    'rethink_det.GroupSparsityHook',
    'rethink_det.SoftFilterHook',
    'rethink_det.GradualMagnitudeHook',
    'rethink_det.StructureScaleHook',
)
"""Hooks that prepare a network's pruning while it trains: the parent's, not the arms'."""


TINY = 1e-12
"""No learning rate is below."""
RATES = within(TINY, 1000)
"""Metadata of learning rates."""


@dataclass(frozen=True)
class ArmSettings:
    """What a study may say about the budgets of its arms.

    Attributes:
        fine_tune_epochs: Epochs of fine-tuning (the paper: 40 on CIFAR, 20 on ImageNet).
        fine_tune_lr: Its constant learning rate.
        scratch_b_cap: Largest stretch of Scratch-B; ``None`` for no cap. The paper's convention
            on ImageNet is 2, but for network slimming and weights; on CIFAR there is none.
        scratch_b_epochs: Epochs that are stretched instead of the base's, milestones as they
            are: the convention of its soft filter experiments, 400 for 200.
        tune_lr: Learning rates that a study tries in each pruned arm, the whole training with
            each on a held-out tenth of the training images; the best one takes the place of the
            arm's own. What that takes counts as training compute of the arm. None by default.
        rounding: How the epochs and milestones of Scratch-B become whole numbers, ``'nearest'``
            or, as the published networks', ``'floor'``.
        flops: By which count Scratch-B has the big network's compute, ``'conv+linear'`` or, as
            the published networks', ``'all-layers'``, see
            :func:`~rethink_det.architecture.flops.flops`.
        epochs: So many for the arm, whatever its rule says.
        schedule: So many times the epochs that its rule gives (``2.4``), or the name of an arm
            whose rule it takes in place of its own: ``rewind`` by ``'scratch-b'`` trains with
            the big network's compute.

    Raises:
        UserError: ``tune_lr`` is no list of different positive numbers; an unknown rounding,
            count or schedule, or epochs and a schedule at once.
    """

    fine_tune_epochs: int = field(default=40, metadata=within(1, MOST_EPOCHS))
    fine_tune_lr: float = field(default=0.001, metadata=RATES)
    scratch_b_cap: float | None = field(default=None, metadata=within(1, MOST_TIMES))
    scratch_b_epochs: int | None = field(default=None, metadata=within(1, MOST_EPOCHS))
    tune_lr: Sequence[float] = field(default=(), metadata=RATES)
    rounding: str = NEAREST
    flops: str = CONV_LINEAR
    epochs: int | None = field(default=None, metadata=within(1, MOST_EPOCHS))
    schedule: float | str | None = field(default=None, metadata=within(LEAST_SCHEDULE, MOST_TIMES))

    def __post_init__(self) -> None:
        share(1, 1, 1, self.rounding)
        check_convention(self.flops)
        check_own_budget(CLASSIFICATION, self.epochs, self.schedule)
        rates = self.tune_lr
        listed = isinstance(rates, (list, tuple))
        if not listed or len(set(map(repr, rates))) != len(rates):
            raise UserError(f'tune_lr must be a list of different numbers, got {rates!r}.')
        for rate in rates:
            check_number('tune_lr: a learning rate', rate, least=TINY)


def is_classifier(config: Config) -> bool:
    """Whether the config's model is a classifier of this package."""
    return is_type(config.get('model'), 'rethink_det.Classifier')


def classifier_architecture(config: Config) -> PrunedArchitecture:
    """The architecture that a classification config trains.

    Raises:
        UserError: The config's model is not a classifier of this package.
    """
    model = config.get('model') or {}
    if not is_classifier(config):
        raise UserError(
            f"The config's model is {model.get('type')!r}, expected 'rethink_det.Classifier'."
        )
    if not model.get('backbone'):
        raise UserError("The config's model has no backbone.")
    return configured_architecture(model['backbone'], model.get('head'), model.get('input_shape'))


def arm_config(
    config: Config,
    arm: Arm,
    settings: ArmSettings,
    architecture: str | PathLike | None = None,
    weights: str | PathLike | None = None,
    epochs: int | None = None,
    owed: float | None = None,
) -> Config:
    """The parent's training config, turned into the config of an arm.

    Args:
        config: Config that trains the unpruned network.
        arm: Which arm.
        settings: Budgets.
        architecture: File of the pruned architecture, for a pruned arm.
        weights: Checkpoint that pruning wrote: inherited weights, lottery ticket and weight
            masks, whichever the arm and the architecture need.
        epochs: The config's schedule is compressed or stretched to so many.
        owed: Compute of all trainings before the pruned network's own, in epochs of that network;
            default: that of the config, on the unpruned network.

    Raises:
        UserError: The arm needs an architecture, weights or masks that are missing or no
            good, or the config does not train a classifier by epochs.
    """
    full = classifier_architecture(config)
    config = deepcopy(config)
    if not arm.pruned:
        if epochs is not None:
            Budget.of(config).scaled(epochs).apply(config)
        return config
    if architecture is None or (arm.takes_weights and weights is None):
        missing = 'a pruned architecture' if architecture is None else arm.start.value
        raise UserError(f'Arm {arm.name} needs {missing}.')
    config, pruned = with_architecture(config, architecture), PrunedArchitecture.load(architecture)
    rule = budget_rule(arm, settings)
    counts = (_counted(one, rule, settings) for one in (full, pruned))
    base = Base(Budget.of(config), epochs, *counts)
    arm_budget(arm, settings, base, owed).apply(config)
    if rule is BudgetRule.FINE_TUNE:
        config.optim_wrapper.optimizer.lr = settings.fine_tune_lr
    config.custom_hooks = [*other_hooks(config), *_hooks(arm, pruned, weights)]
    return config


def _counted(architecture: PrunedArchitecture, rule: BudgetRule, settings: ArmSettings) -> int:
    """FLOPs by which budgets are compared; 1 for a rule that compares none."""
    if rule is BudgetRule.STRETCHED:
        return flops(architecture, settings.flops)
    return flops(architecture, CONV_LINEAR) if rule is BudgetRule.TOTAL else 1


def with_architecture(config: Config, architecture: str | PathLike) -> Config:
    """A classifier's config with a pruned network in place of its own.

    Args:
        config: It is left as it is.
        architecture: File of the pruned architecture.
    """
    config, pruned = deepcopy(config), PrunedArchitecture.load(architecture)
    old = config.model.backbone
    runtime = {key: old[key] for key in RUNTIME_KEYS if key in old}
    config.model.backbone = {
        **runtime, 'type': 'rethink_det.PrunedBackbone', 'architecture': str(architecture)
    }  # fmt: skip
    # A published architecture may have another head (VGG-GAP); the classes are the data's.
    classes = (config.model.get('head') or pruned.head).get('num_classes')
    config.model.head = {**plain(pruned.head), **({'num_classes': classes} if classes else {})}
    return config


def other_hooks(config: Config) -> list[Mapping]:
    """A config's custom hooks but those that prepare pruning (:data:`PRUNING_HOOKS`)."""
    hooks = config.get('custom_hooks') or []
    return [hook for hook in hooks if not is_type(hook, PRUNING_HOOKS, HOOKS)]


def _hooks(arm: Arm, pruned: PrunedArchitecture, weights: str | PathLike | None) -> list[dict]:
    """What brings the arm's weights and masks in."""
    hooks: list[dict[str, Any]] = []
    if arm.takes_weights:
        hook = {
            'type': 'rethink_det.TransferHook',
            'arm': arm.name,
            'checkpoint': str(weights),
            'part': None,
        }
        hooks.append({**hook, 'key': TICKET} if arm.start is Start.INITIAL else hook)
    if pruned.masks:
        if weights is None:
            raise UserError(
                f'Arm {arm.name} trains under weight masks: give the checkpoint that pruning wrote.'
            )
        mask = {'type': 'rethink_det.MaskHook', 'checkpoint': str(weights)}
        hooks.append({**mask, 'redraw': not arm.takes_weights})
    return hooks


def budget_rule(arm: Arm, settings: ArmSettings) -> BudgetRule:
    """The arm's own, or that of the arm whose schedule it takes."""
    other = settings.schedule
    return ARM_TABLE.get(CLASSIFICATION, other).budget if isinstance(other, str) else arm.budget


def arm_budget(arm: Arm, settings: ArmSettings, base: Base, owed: float | None) -> Budget:
    """The budget of a pruned arm: by its rule, or as its settings say."""
    rule = budget_rule(arm, settings)
    whole = _by_rule(rule, settings, base, owed)
    epochs = own_epochs(whole.epochs, settings.epochs, settings.schedule)
    if epochs is None:
        return whole
    return constant(epochs) if rule is BudgetRule.FINE_TUNE else base.schedule.scaled(epochs)


def _by_rule(rule: BudgetRule, settings: ArmSettings, base: Base, owed: float | None) -> Budget:
    match rule:
        case BudgetRule.FINE_TUNE:
            return constant(settings.fine_tune_epochs)
        case BudgetRule.BASE:
            return base.base()
        case BudgetRule.STRETCHED:
            return _stretched(settings, base)
        case BudgetRule.TOTAL:
            if owed is None:
                return base.total(base.length, settings.fine_tune_epochs)
            return base.total(0, owed + settings.fine_tune_epochs)


def _stretched(settings: ArmSettings, base: Base) -> Budget:
    """The base budget times the ratio of FLOPs."""
    if settings.scratch_b_epochs is not None:
        longer = Budget(settings.scratch_b_epochs, base.base().schedulers)
        base = base._replace(schedule=longer, epochs=None)
    return base.stretched(settings.scratch_b_cap, settings.rounding)


if not TYPE_CHECKING:
    __getattr__ = old_names(
        __name__,
        {
            'ARMS': ('arms.ARMS', lambda: {arm.name: arm for arm in ARM_TABLE.of(CLASSIFICATION)}),
            'get_arm': ('arms.ARMS.get', lambda: partial(ARM_TABLE.get, CLASSIFICATION)),
            'architecture_of': (
                'classification.arm_config.classifier_architecture',
                lambda: classifier_architecture,
            ),
        },
    )
