"""Arms: the ways to obtain the trained small classifier. An arm is data.

Source: Rethinking the Value of Network Pruning (arXiv 1810.05270), section 3; ``lottery`` is
the winning ticket of The Lottery Ticket Hypothesis (arXiv 1803.03635), whose control, the same
architecture or mask drawn anew, is ``scratch-e``. The learning rate that decides between them
is the config's own: ``optim_wrapper.optimizer.lr=0.01`` for the small one.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from os import PathLike

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import TICKET
from rethink_det.architecture.network import RUNTIME_KEYS
from rethink_det.errors import UserError
from rethink_det.training import Budget, constant

PRUNING_HOOKS = (
    'SparsityHook',
    'SoftFilterHook',
    'GradualMagnitudeHook',
    'StructureScaleHook',
)
"""Hooks that prepare a network's pruning while it trains: the parent's, not the arms'."""


@dataclass(frozen=True)
class Arm:
    """One way to obtain a trained classifier.

    Attributes:
        name: As in the paper, lower case.
        pruned: Whether it trains the pruned architecture.
        start: What it starts from: ``'random'`` weights, the ``'inherited'`` ones, or the
            ``'initial'`` ones of the unpruned network (the lottery ticket).
        budget: ``'base'``: the big model's epochs. ``'fine-tune'``: a few at a constant low
            rate. ``'stretched'``: the base budget times the ratio of MACs.
    """

    name: str
    pruned: bool
    start: str
    budget: str


ARMS = {
    arm.name: arm
    for arm in (
        Arm('unpruned', pruned=False, start='random', budget='base'),
        Arm('fine-tune', pruned=True, start='inherited', budget='fine-tune'),
        Arm('scratch-e', pruned=True, start='random', budget='base'),
        Arm('scratch-b', pruned=True, start='random', budget='stretched'),
        Arm('lottery', pruned=True, start='initial', budget='base'),
    )
}


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
    """

    fine_tune_epochs: int = 40
    fine_tune_lr: float = 0.001
    scratch_b_cap: float | None = None
    scratch_b_epochs: int | None = None


def get_arm(name: str) -> Arm:
    """The arm of that name.

    Raises:
        UserError: Unknown name; lists the known ones.
    """
    if name not in ARMS:
        raise UserError(f'Unknown classification arm {name!r}; known are {", ".join(ARMS)}.')
    return ARMS[name]


def is_classifier(config: Config) -> bool:
    """Whether the config's model is a classifier of this package."""
    kind = (config.get('model') or {}).get('type', '')
    return str(kind).removeprefix('rethink_det.') == 'Classifier'


def architecture_of(config: Config) -> PrunedArchitecture:
    """The architecture that a classification config trains.

    Raises:
        UserError: The config's model is not a classifier of this package.
    """
    model = config.get('model') or {}
    if not is_classifier(config):
        raise UserError(
            f"The config's model is {model.get('type')!r}, expected 'rethink_det.Classifier'."
        )
    backbone = dict(model['backbone'])
    if backbone['type'] == 'rethink_det.PrunedBackbone':
        return PrunedArchitecture.load(backbone['architecture'])
    return PrunedArchitecture(backbone, model['head'], model['input_shape'])


def arm_config(
    config: Config,
    arm: Arm,
    settings: ArmSettings,
    architecture: str | PathLike | None = None,
    weights: str | PathLike | None = None,
) -> Config:
    """The parent's training config, turned into the config of an arm.

    Args:
        config: Config that trains the unpruned network.
        arm: Which arm.
        settings: Budgets.
        architecture: File of the pruned architecture, for a pruned arm.
        weights: Checkpoint that pruning wrote: inherited weights, lottery ticket and weight
            masks, whichever the arm and the architecture need.

    Raises:
        UserError: The arm needs an architecture, weights or masks that are missing or no
            good, or the config does not train a classifier by epochs.
    """
    full = architecture_of(config)
    config = deepcopy(config)
    if not arm.pruned:
        return config
    needs_weights = arm.start != 'random'
    if architecture is None or (needs_weights and weights is None):
        missing = 'a pruned architecture' if architecture is None else f'{arm.start} weights'
        raise UserError(f'Arm {arm.name} needs {missing}.')
    old = config.model.backbone
    runtime = {key: old[key] for key in RUNTIME_KEYS if key in old}
    config.model.backbone = {
        **runtime, 'type': 'rethink_det.PrunedBackbone', 'architecture': str(architecture)
    }  # fmt: skip
    pruned = PrunedArchitecture.load(architecture)
    # A published architecture may have another head (VGG-GAP); the classes are the data's.
    classes = (config.model.get('head') or pruned.head).get('num_classes')
    config.model.head = {**pruned.head, **({'num_classes': classes} if classes else {})}
    _budget(config, arm, settings, full, pruned).apply(config)
    if arm.budget == 'fine-tune':
        config.optim_wrapper.optimizer.lr = settings.fine_tune_lr
    config.custom_hooks = [*other_hooks(config), *_hooks(arm, pruned, weights)]
    return config


def other_hooks(config: Config) -> list[Mapping]:
    """A config's custom hooks but those that prepare pruning (:data:`PRUNING_HOOKS`)."""
    hooks = config.get('custom_hooks') or []
    kinds = [str(hook.get('type')).removeprefix('rethink_det.') for hook in hooks]
    return [hook for hook, kind in zip(hooks, kinds, strict=True) if kind not in PRUNING_HOOKS]


def _hooks(arm: Arm, pruned: PrunedArchitecture, weights: str | PathLike | None) -> list[dict]:
    """What brings the arm's weights and masks in."""
    hooks = []
    if arm.start != 'random':
        hook = {
            'type': 'rethink_det.TransferHook',
            'arm': arm.name,
            'checkpoint': str(weights),
            'part': None,
        }
        hooks.append({**hook, 'key': TICKET} if arm.start == 'initial' else hook)
    if pruned.masks:
        if weights is None:
            raise UserError(
                f'Arm {arm.name} trains under weight masks: give the checkpoint that pruning wrote.'
            )
        redraw = arm.start == 'random'
        hooks.append({'type': 'rethink_det.MaskHook', 'checkpoint': str(weights), 'redraw': redraw})
    return hooks


def _budget(
    config: Config,
    arm: Arm,
    settings: ArmSettings,
    full: PrunedArchitecture,
    pruned: PrunedArchitecture,
) -> Budget:
    if arm.budget == 'fine-tune':
        return constant(settings.fine_tune_epochs)
    base = Budget.of(config)
    if arm.budget == 'base':
        return base
    macs = full.cost().macs, pruned.cost().macs
    stretched = base.stretched(*macs, settings.scratch_b_cap)
    if settings.scratch_b_epochs is None:
        return stretched
    longer = Budget(settings.scratch_b_epochs, ()).stretched(*macs, settings.scratch_b_cap)
    return replace(longer, schedulers=stretched.schedulers)
