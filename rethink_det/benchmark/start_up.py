"""What ``import rethink_det`` costs, beside importing what it registers its parts with."""

import subprocess
import sys
from functools import partial

from rethink_det.benchmark.timing import compare

MOST = 5
"""Rounds: an interpreter that starts takes a second."""


def against_mmengine(rounds: int) -> None:
    """The import in a fresh interpreter each time.

    Args:
        rounds: Pairs of imports, of which :data:`MOST` are made.

    Raises:
        UserError: There is no round.
    """
    print('import: a fresh interpreter each time')
    ours, peer = (
        partial(subprocess.run, [sys.executable, '-c', f'import {module}'], check=True)
        for module in ('rethink_det', 'mmengine.registry')
    )
    compare({'ours': ours, 'peer': peer}, min(rounds, MOST))
