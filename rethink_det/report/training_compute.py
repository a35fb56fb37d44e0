"""Total training compute of a study's runs: whose is known, and whose is not."""

from collections.abc import Iterable, Mapping, Sequence

from rethink_det.arms import DETECTION
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import Row

Computes = Mapping[tuple[str, int | str], float]
"""Total training compute in MACs by arm and repetition."""


def counted_alike(runs: Iterable[RunResult]) -> list[RunResult]:
    """Those of one (stage, model) whose computes are of the same networks.

    Detectors' runs of an older release count their backbones alone: they are left out where
    others count the whole.
    """
    runs = list(runs)
    whole = [run for run in runs if not run.counts_backbone_alone]
    return whole if any(run.train_macs is not None for run in whole) else runs


def spent_by(runs: Iterable[RunResult]) -> Computes:
    """Total training compute of the completed ``runs`` of one (stage, model) that tell it."""
    return {
        (run.arm, run.repetition): run.total_train_macs
        for run in counted_alike(runs)
        if run.status == 'completed' and run.total_train_macs
    }


def whose_compute(runs: Iterable[RunResult]) -> str:
    """``' of the backbone'`` where it is that alone, else nothing."""
    return ' of the backbone' * any(run.counts_backbone_alone for run in counted_alike(runs))


def unknown_note(rows: Sequence[Row], spent: Computes) -> str:
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
    older = ', or of the backbone alone, as in runs of an older release'
    return (
        f'Not plotted against training compute: {", ".join(names)}. What their training took in '
        'all is unknown, as it is where it builds on a given parent'
        f'{older * (rows[0].stage == DETECTION)}.'
    )
