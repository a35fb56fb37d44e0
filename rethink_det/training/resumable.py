"""From where a training goes on: its newest checkpoint, or the one before if that is damaged."""

import os
import re
from pathlib import Path

from mmengine.runner import find_latest_checkpoint

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.errors import UserError, in_one_line

_NUMBERED = re.compile(r'(?:epoch|iter)_(\d+)\.pth')


def last_checkpoint(work_dir: str | os.PathLike) -> Path | None:
    """The newest checkpoint of a run, if it has one."""
    found = find_latest_checkpoint(str(work_dir)) if Path(work_dir).is_dir() else None
    # Its name alone: the folder may have been moved or copied since.
    own = Path(work_dir) / Path(found).name if found else None
    return own if own and own.is_file() else None


def newest_readable(work_dir: str | os.PathLike) -> Path | None:
    """The newest checkpoint of a run that can be read, and a printed line for each that cannot.

    A kill, a full disk or a bad one may have damaged the newest: then the one before, which is
    kept for that, costs the work of an epoch and not of all.

    Args:
        work_dir: Of the run.
    """
    for path in _newest_first(Path(work_dir)):
        try:
            Checkpoint.read(path)
        except UserError as error:
            print(f'not resumed from {path.name}, but from what is before it: {in_one_line(error)}')
        else:
            return path
    return None


def _newest_first(work_dir: Path) -> list[Path]:
    last = last_checkpoint(work_dir)
    numbers = {
        path: int(match.group(1))
        for path in work_dir.glob('*.pth')
        if (match := _NUMBERED.fullmatch(path.name))
    }
    earlier = sorted(numbers, key=lambda path: numbers[path], reverse=True)
    return list(dict.fromkeys([last, *earlier] if last else earlier))
