"""Whether what a study claims was settled before it had results, or only when it had some."""

import os
from typing import NamedTuple

from rethink_det.errors import UserError
from rethink_det.report.comparison import Comparison
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import COMPLETED
from rethink_det.study.config import Study


class Late(NamedTuple):
    """What of a study's claims was changed when there were results: fields of its results."""

    primary: bool = False
    margin: bool = False


def settled_late(study: Study, work_dir: str | os.PathLike) -> Late:
    """What was changed since there were results; once late, always late.

    Args:
        study: What is about to run.
        work_dir: Its folder, with the results of before, if there are any.
    """
    try:
        before = StudyResults.read(work_dir)
    except UserError:  # there are none, or none that can be read
        return Late()
    known = any(run.status == COMPLETED and run.metrics for run in before.runs)
    primary = known and _asked_still(before.primary, study)
    margin = known and any(before.margin.get(k) != v for k, v in study.margin.items())
    margin = margin or known and not set(before.margin) <= set(study.margin)
    changed = primary and before.primary != study.primary_comparison()
    return Late(before.primary_late or changed, before.margin_late or margin)


def _asked_still(primary: Comparison | None, study: Study) -> bool:
    """Whether the study makes a comparison; without some of its variants it may not."""
    if primary is None:
        return False
    arms = study.trained_arms.get((primary.stage, primary.model), ())
    return {primary.arm, primary.baseline} <= set(arms)
