"""What a study found: results, statistics, verdict, tables, plots, page. It reads files alone."""

from rethink_det.report.comparison import Comparison
from rethink_det.report.judgement import judge
from rethink_det.report.outcome import Verdict
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import (
    FeatureMapWidths,
    Plan,
    Reference,
    RunResult,
    Transferred,
)

__all__ = [
    'Comparison',
    'FeatureMapWidths',
    'Plan',
    'Reference',
    'RunResult',
    'StudyResults',
    'Transferred',
    'Verdict',
    'judge',
]
