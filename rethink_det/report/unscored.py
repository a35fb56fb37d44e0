"""Given parents of which no score was measured, in studies that train no classifier."""

from collections.abc import Iterable

from rethink_det.arms import ARMS, CLASSIFICATION
from rethink_det.report.run_result import RunResult

METRICS_FIELD = 'metrics'
"""What stands in a run's ``unmeasured`` where its score was asked for in vain."""


def unscored_parents(runs: Iterable[RunResult]) -> list[RunResult]:
    """The given parents without a score, of models of which there is nothing else.

    Args:
        runs: Of a study.
    """
    classifiers = [run for run in runs if run.stage == CLASSIFICATION]
    reference = ARMS.reference(CLASSIFICATION).name
    bare = [
        run for run in classifiers if run.arm == reference and run.parent_given and not run.metrics
    ]
    others = {run.model for run in classifiers if run not in bare}
    return [run for run in bare if run.model not in others]


def unscored_note(runs: Iterable[RunResult]) -> str:
    """A paragraph that says so, and why; empty if every parent has a score, or something else."""
    found = unscored_parents(runs)
    if not found:
        return ''
    reasons = dict.fromkeys(run.unmeasured for run in found if run.unmeasured)
    asked = [one for one in reasons if METRICS_FIELD in one]
    why = f'not measured: {"; ".join(asked)}' if asked else 'no arm of it is a classifier'
    return (
        'No classification score was measured: the study is one of detectors alone, whose unpruned '
        f'classifier was given ({why}).'
    )
