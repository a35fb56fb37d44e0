"""What a run descends from: the unpruned network, whose luck it shares, and what pruning left."""

from collections.abc import Mapping
from typing import Any

from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION
from rethink_det.report.run_result import RunResult
from rethink_det.study.nodes import (
    ClassifierPruning,
    DetectorPruning,
    GivenClassifier,
    GivenPruned,
    Run,
)

CUTS = {CLASSIFICATION: ClassifierPruning, DETECTION: DetectorPruning}
"""What prunes the networks that a stage trains."""


def lineage(run: Run, results: Mapping[str, RunResult]) -> dict[str, Any]:
    """Fields of a run's result that tell its parent; none where the shape is no run's.

    Args:
        run: Finished, failed or not started.
        results: Of the study's finished runs, by key. The digest is None while the parent has
            none there.
    """
    origin = run.origin
    if origin is None:
        return {}
    known = results.get(origin.key)
    return {
        'pruned_metrics': _pruned_metrics(run, results),
        'not_as_asked': _not_as_asked(run, results),
        'parent': run.parent or None,
        'parent_digest': known.digest if known else None,
        'parent_given': isinstance(origin, GivenClassifier | GivenPruned),
    }


def _not_as_asked(run: Run, results: Mapping[str, RunResult]) -> str | None:
    """What the pruning that a run's network comes from was asked for in vain."""
    for one in (run, *run.parents.values()):
        if isinstance(one, tuple(CUTS.values())):
            found = results.get(one.key)
            return found.not_as_asked if found else None
    above = (_not_as_asked(one, results) for one in run.parents.values())
    return next((words for words in above if words), None)


def _pruned_metrics(
    run: Run, results: Mapping[str, RunResult]
) -> Mapping[str, float | None] | None:
    """What the network reached as pruning left it, of an arm that inherits its weights."""
    if run.stage not in CUTS or not ARMS.inherits(ARMS.get(run.stage, run.arm)):
        return None
    cuts = (one for one in run.parents.values() if isinstance(one, CUTS[run.stage]))
    found = next((results.get(one.key) for one in cuts), None)
    return (found.metrics or None) if found else None
