"""Whether what a study asks for can start: looked at before the first of its runs does."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.detection.datasets.data_root import detector_base
from rethink_det.errors import UserError
from rethink_det.pruning import PredefinedPruner, build_pruner
from rethink_det.study.config import Study
from rethink_det.study.given_parents import check_given_parents
from rethink_det.study.plans import ClassificationPlan
from rethink_det.study.stages.take_pruned import given_pruned
from rethink_det.training.building import check_buildable
from rethink_det.training.config import load_config


def check_startable(study: Study) -> None:
    """Refuse a study of which a run would fail as it starts.

    The given networks are read, models and optimizers are built without memory, and names of
    layers are looked for. No data are looked at.

    Raises:
        UserError: Says what, and names the key.
    """
    plan = study.classification
    if plan.given_parents:
        check_given_parents(plan)
    if plan.config:
        config = load_config(plan.config, plan.options)
        if plan.pruned:
            given_pruned(config, plan.pruned, not plan.untuned, plan.ema)
        check_buildable(config)
        _check_layers(plan)
    for detector in study.detection:
        check_buildable(detector_base(detector.config, detector.options, detector.data_root))


def _check_layers(plan: ClassificationPlan) -> None:
    """Refuse patterns of layers that match none of the network."""
    config = load_config(plan.config, plan.options)
    pruned = [plan.of(name) for name in plan.variant_names]
    pruned = [one for one in pruned if one.pruner is not None and not one.widths_of]
    if not pruned or 'model' not in config:
        return
    layers = list(classifier_architecture(config).widths)
    for one in pruned:
        pruner = build_pruner(one.pruner or {})
        if isinstance(pruner, PredefinedPruner):
            _check_patterns([*pruner.ratios, *pruner.skip], layers)


def _check_patterns(patterns: Sequence[str], layers: Sequence[str]) -> None:
    for pattern in patterns:
        if not any(fnmatchcase(layer, pattern) for layer in layers):
            raise UserError(
                f'study.classification: the pruner names {pattern!r}, which matches no layer; '
                f'they are {", ".join(layers)}.'
            )
