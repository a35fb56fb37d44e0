"""Total training compute of a study's runs: whose is known, and whose is not."""

from collections.abc import Iterable, Mapping, Sequence

from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import Row

Spent = Mapping[tuple[str, int | str], float]
"""Total training compute in MACs by arm and repetition."""


def spent_by(runs: Iterable[RunResult]) -> Spent:
    """Total training compute of the completed ``runs`` of one (stage, model) that tell it."""
    return {
        (run.arm, run.repetition): run.total_train_macs
        for run in runs
        if run.status == 'completed' and run.total_train_macs
    }


def unknown_note(rows: Sequence[Row], spent: Spent) -> str:
    """A sentence on the runs of ``rows`` whose compute is unknown; empty if there are none."""
    names = []
    for row in rows:
        lost = [str(seed) for seed in row.values if (row.arm, seed) not in spent]
        if len(lost) == len(row.values):
            names.append(row.arm)
        elif lost:
            names.append(f'{row.arm} (seed {", ".join(lost)})')
    if not names:
        return ''
    return (
        f'Not plotted against training compute: {", ".join(names)}. What their training took in '
        'all is unknown, as it is where it builds on a given parent.'
    )
