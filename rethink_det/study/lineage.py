"""Which unpruned network a run descends from: runs of one parent share its luck."""

from collections.abc import Mapping
from typing import Any

from rethink_det.report.run_result import RunResult
from rethink_det.study.graph import GivenClassifier, GivenPruned, Run


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
        'parent': run.parent or None,
        'parent_digest': known.digest if known else None,
        'parent_given': isinstance(origin, GivenClassifier | GivenPruned),
    }
