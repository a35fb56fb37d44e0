"""Whether what a study asks for can start: looked at before the first of its runs does."""

import warnings

from rethink_det.architecture import Surgeon
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.detection.datasets.data_root import detector_base
from rethink_det.errors import naming
from rethink_det.pruning import build_pruner
from rethink_det.pruning.cost_goal import classifier_costs
from rethink_det.pruning.seeking import Search
from rethink_det.segmentation.datasets.data_root import segmenter_base
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
        with naming('study.classification.parent'):
            check_given_parents(plan)
    if plan.config:
        config = load_config(plan.config, plan.options)
        if plan.pruned:
            with naming('study.classification.pruned'):
                given_pruned(config, plan.pruned, not plan.untuned, plan.ema)
        check_buildable(config)
        with naming('study.classification.pruner'):
            _check_pruners(plan)
    for detector in study.detection:
        check_buildable(detector_base(detector.config, detector.options, detector.data_root))
    for one in study.segmentation:
        check_buildable(segmenter_base(one.config, one.options, one.data_root))


def _check_pruners(plan: ClassificationPlan) -> None:
    """Refuse pruners that are told of layers which the network has not, or cannot prune."""
    config = load_config(plan.config, plan.options)
    pruned = [plan.of(name) for name in plan.variant_names]
    pruned = [one for one in pruned if one.pruner is not None and not one.widths_of]
    if not pruned or 'model' not in config:
        return
    architecture = classifier_architecture(config)
    surgeon = Surgeon(architecture.skeleton(), architecture.input_shape, prefix='backbone.')
    for one in pruned:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # they are said when it prunes
            pruner = build_pruner(one.pruner or {})
            pruner.check(surgeon, architecture)
            if pruner.goal is not None and not pruner.goal.is_latency:  # nothing is timed for it
                Search(pruner, surgeon, architecture, classifier_costs).check()
