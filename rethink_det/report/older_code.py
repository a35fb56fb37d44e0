"""Results of another release than the one that reports them: named as such."""

from collections import Counter
from collections.abc import Iterable

from rethink_det import __version__
from rethink_det.report.run_result import COMPLETED, RunResult

PACKAGE = 'rethink-det'
"""Name of this package among the versions of an environment."""
_UNKNOWN = 'a release that did not say which'


def older_code_note(runs: Iterable[RunResult], now: str = __version__) -> str | None:
    """How many runs are results of other code; None if none is, or none says whose it is.

    Args:
        runs: Of a study.
        now: The version of this release.
    """
    done = [run for run in runs if run.status == COMPLETED]
    counts = Counter(_release(run) for run in done)
    counts.pop(f'release {now}', None)
    if not counts or counts[_UNKNOWN] == len(done):
        return None
    told = ', '.join(f'{count} of {release}' for release, count in sorted(counts.items()))
    return (
        f'Results of other code: {told}, of {len(done)} in all; this report is written by release '
        f'{now}. What a release changed in results is in CHANGELOG.md; a study does those again '
        'whose stage comes out differently since.'
    )


def _release(run: RunResult) -> str:
    version = run.environment.versions.get(PACKAGE) if run.environment else None
    return _UNKNOWN if version is None else f'release {version}'
