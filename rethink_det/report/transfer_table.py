"""What every detector of a study started from, as its checkpoint proves it."""

from collections.abc import Sequence

from rethink_det.arms import AFTER_PRUNING, ARMS, STAGES
from rethink_det.report.run_result import RunResult
from rethink_det.report.statistics import by_arm
from rethink_det.report.tables import Table


def transfer_table(runs: Sequence[RunResult]) -> Table | None:
    """Tensors, whose they were and their digest by arm and seed; None if no run tells them.

    Args:
        runs: The completed runs of one (stage, model).
    """
    told = [(run, run.transferred) for run in runs if run.transferred is not None]
    if not told:
        return None
    body = []
    for run, proof in sorted(told, key=lambda each: (by_arm(each[0]), each[0].seed)):
        origin = 'pruned, not fine-tuned' if is_untuned(run) else proof.parent_arm
        unknown = 'none' if proof.tensors is None else 'not known'
        row = [proof.tensors or 'none', origin or unknown, proof.parent_digest or 'none']
        body.append([run.arm, str(run.seed), *map(str, row)])
    note = (
        'Each tensor was loaded exactly, or the run would have been refused. The digest is of '
        'names, shapes and values; it stands in the log and in every checkpoint as well.'
    )
    columns = ['arm', 'seed', 'tensors', 'of arm', 'digest']
    return Table('What was transferred', columns, body, note, folded=True)


def is_untuned(run: RunResult) -> bool:
    """Whether a backbone was pruned and not fine-tuned, in an arm that has one that was."""
    transfers = ARMS.of(run.stage) if run.stage in STAGES else []
    able = {arm.name for arm in transfers if ARMS.may_be_untuned(arm)}
    parent_arm = run.transferred.parent_arm if run.transferred else None
    return run.arm in able and parent_arm == AFTER_PRUNING


def untuned_note(runs: Sequence[RunResult]) -> str:
    """A sentence about the arms whose networks were not fine-tuned; empty if all were."""
    arms = dict.fromkeys(run.arm for run in sorted(runs, key=by_arm) if is_untuned(run))
    return f'Pruned and not fine-tuned before the transfer: {", ".join(arms)}.' if arms else ''
