"""What every detector of a study started from, as its checkpoint proves it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rethink_det.report.results import RunResult
from rethink_det.report.statistics import by_arm
from rethink_det.report.tables import Table

PROOF = ('tensors', 'parent_digest')
"""What ``TransferHook`` writes into ``meta['provenance']``; neither, where nothing was loaded."""


def proof_of(checkpoint: Mapping) -> dict[str, Any]:
    """How many tensors a trained network started from, and their digest; empty for none."""
    provenance = (checkpoint.get('meta') or {}).get('provenance') or {}
    return {key: provenance[key] for key in PROOF if key in provenance}


def transfer_table(runs: Sequence[RunResult]) -> Table | None:
    """Tensors and digest by arm and seed; None if no run tells them.

    Args:
        runs: The completed runs of one (stage, model).
    """
    told = [run for run in runs if run.transferred is not None]
    if not told:
        return None
    body = []
    for run in sorted(told, key=lambda run: (by_arm(run), run.seed)):
        proof = [str(run.transferred.get(key, 'none')) for key in PROOF]
        body.append([run.arm, str(run.seed), *proof])
    note = (
        'Each tensor was loaded exactly, or the run would have been refused. The digest is of '
        'names, shapes and values; it stands in the log and in every checkpoint as well.'
    )
    columns = ['arm', 'seed', 'tensors', 'digest']
    return Table('What was transferred', columns, body, note, folded=True)
