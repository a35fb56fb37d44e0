"""What every detector of a study started from, as its checkpoint proves it."""

from collections.abc import Sequence

from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import by_arm
from rethink_det.report.tables import Table


def transfer_table(runs: Sequence[RunResult]) -> Table | None:
    """Tensors and digest by arm and seed; None if no run tells them.

    Args:
        runs: The completed runs of one (stage, model).
    """
    told = [(run, run.transferred) for run in runs if run.transferred is not None]
    if not told:
        return None
    body = []
    for run, proof in sorted(told, key=lambda each: (by_arm(each[0]), each[0].seed)):
        told_of = [str(one or 'none') for one in (proof.tensors, proof.parent_digest)]
        body.append([run.arm, str(run.seed), *told_of])
    note = (
        'Each tensor was loaded exactly, or the run would have been refused. The digest is of '
        'names, shapes and values; it stands in the log and in every checkpoint as well.'
    )
    columns = ['arm', 'seed', 'tensors', 'digest']
    return Table('What was transferred', columns, body, note, folded=True)
