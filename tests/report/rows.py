"""Runs and rows of a made-up study of classifiers."""

from rethink_det.report.run_result import RunResult

TOP1 = 'accuracy/top1'


def classification(model='net', **arms):
    """Runs of classification arms (``fine_tune=[93.0, ...]``), seeds counted from 0."""
    return [
        RunResult('classification', arm.replace('_', '-'), seed, {TOP1: value}, model)
        for arm, values in arms.items()
        for seed, value in enumerate(values)
    ]


def row_of(rows, arm, metric=TOP1):
    (row,) = [row for row in rows if (row.arm, row.metric) == (arm, metric)]
    return row
