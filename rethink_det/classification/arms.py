"""Arms: the ways to obtain the trained small classifier. An arm is data.

Source: Rethinking the Value of Network Pruning (arXiv 1810.05270), section 3.
"""

from copy import deepcopy
from dataclasses import dataclass
from os import PathLike

from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.network import RUNTIME_KEYS
from rethink_det.errors import UserError
from rethink_det.training import Budget, constant


@dataclass(frozen=True)
class Arm:
    """One way to obtain a trained classifier.

    Attributes:
        name: As in the paper, lower case.
        pruned: Whether it trains the pruned architecture.
        inherits: Whether it starts from inherited weights.
        budget: ``'base'``: the big model's epochs. ``'fine-tune'``: a few at a constant low
            rate. ``'stretched'``: the base budget times the ratio of MACs.
    """

    name: str
    pruned: bool
    inherits: bool
    budget: str


ARMS = {
    arm.name: arm
    for arm in (
        Arm('unpruned', pruned=False, inherits=False, budget='base'),
        Arm('fine-tune', pruned=True, inherits=True, budget='fine-tune'),
        Arm('scratch-e', pruned=True, inherits=False, budget='base'),
        Arm('scratch-b', pruned=True, inherits=False, budget='stretched'),
    )
}


@dataclass(frozen=True)
class ArmSettings:
    """What a study may say about the budgets of its arms.

    Attributes:
        fine_tune_epochs: Epochs of fine-tuning (the paper: 40 on CIFAR, 20 on ImageNet).
        fine_tune_lr: Its constant learning rate.
        scratch_b_cap: Largest stretch of Scratch-B; ``None`` for no cap.
    """

    fine_tune_epochs: int = 40
    fine_tune_lr: float = 0.001
    scratch_b_cap: float | None = None


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
        weights: Checkpoint of inherited weights, for an arm that inherits.

    Raises:
        UserError: The arm needs an architecture or weights that are missing or no good, or
            the config does not train a classifier by epochs.
    """
    full = architecture_of(config)
    config = deepcopy(config)
    if not arm.pruned:
        return config
    if architecture is None or (arm.inherits and weights is None):
        missing = 'a pruned architecture' if architecture is None else 'inherited weights'
        raise UserError(f'Arm {arm.name} needs {missing}.')
    old = config.model.backbone
    runtime = {key: old[key] for key in RUNTIME_KEYS if key in old}
    config.model.backbone = {
        **runtime, 'type': 'rethink_det.PrunedBackbone', 'architecture': str(architecture)
    }  # fmt: skip
    pruned = PrunedArchitecture.load(architecture)
    _budget(config, arm, settings, full, pruned).apply(config)
    if arm.inherits:
        config.optim_wrapper.optimizer.lr = settings.fine_tune_lr
        hook = {
            'type': 'rethink_det.TransferHook',
            'arm': arm.name,
            'checkpoint': str(weights),
            'part': None,
        }
        config.custom_hooks = [*(config.get('custom_hooks') or []), hook]
    return config


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
    return base.stretched(full.cost().macs, pruned.cost().macs, settings.scratch_b_cap)
