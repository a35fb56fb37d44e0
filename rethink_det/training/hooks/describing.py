"""What a run says of itself in every checkpoint: what it is and where it comes from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from rethink_det.architecture import weight_masks
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.architecture.provenance import (
    Parent,
    Provenance,
    config_digest,
    file_name,
    versions,
)
from rethink_det.architecture.weight_masks import WeightMasks
from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION
from rethink_det.training.model import architecture_of, model_of


class DescribingHook(Hook):
    """Base of the hooks that know something of that.

    Whatever they know together goes into every checkpoint. One of them is enough for a whole
    description: a ``TransferHook`` in a run of MMEngine's own tools, say.

    Attributes:
        arm: Name of the run's arm, if this hook knows it.
        parent: The weights that it started from, likewise.
        masks: The weight masks it trains under, likewise.
    """

    arm: str | None = None
    parent: Parent | None = None
    masks: WeightMasks = {}

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the description."""
        if self is _describing(runner)[0]:
            checkpoint.update(described(runner, checkpoint).to_dict())


def described(runner: Runner, content: Mapping[str, Any]) -> Checkpoint:
    """A checkpoint of a run, with all that is known of it.

    Args:
        runner: Of the run.
        content: What MMEngine writes: ``state_dict`` and its own entries.
    """
    model = model_of(runner)
    masks = next((hook.masks for hook in _describing(runner) if hook.masks), {})
    architecture = architecture_of(model)
    description = None if architecture is None else architecture.to_dict()
    if description is not None and masks:
        description = {**description, 'masks': weight_masks.describe(masks)}
    return replace(
        Checkpoint.from_dict(content),
        architecture=description,
        provenance=provenance_of(runner),
        input_convention=InputConvention.of(getattr(model, 'data_preprocessor', None)),
        masks=masks,
    )


def provenance_of(runner: Runner) -> Provenance:
    """Where the weights of a run come from."""
    dataset = runner.train_dataloader.dataset
    hooks = _describing(runner)[::-1]  # what a config adds to the default hooks comes after them
    parent = next((hook.parent for hook in hooks if hook.parent), _pretrained(runner))
    return Provenance(
        arm=next((hook.arm for hook in hooks if hook.arm), _arm_of(runner)),
        seed=runner.seed,
        data=f'{type(dataset).__name__} of {len(dataset)} images',
        versions=versions(),
        config_digest=config_digest(runner.cfg),
        parent=parent,
        pruner=None,
        inferred=None,
    )


def _pretrained(runner: Runner) -> Parent | None:
    """The weights that MMEngine's initializer gave the backbone, if its config says so."""
    backbone = (runner.cfg.get('model') or {}).get('backbone') or {}
    init = backbone.get('init_cfg') or {}
    source = backbone.get('pretrained') or (isinstance(init, Mapping) and init.get('checkpoint'))
    return Parent(file_name(source), None, None, None) if source else None


def _arm_of(runner: Runner) -> str | None:
    """The arm of a run that nobody has named: the unpruned network's, or none that is known.

    A detector whose backbone comes from no classifier is none of the arms.
    """
    model = model_of(runner)
    architecture = architecture_of(model)
    if architecture is not None and architecture != architecture.base:
        return None
    if getattr(model, 'architecture', None) is not None:
        return ARMS.reference(CLASSIFICATION).name
    of_a_classifier = hasattr(model, 'backbone') and _pretrained(runner)
    return ARMS.reference(DETECTION).name if of_a_classifier else None


def _describing(runner: Runner) -> list[DescribingHook]:
    return [hook for hook in runner.hooks if isinstance(hook, DescribingHook)]
