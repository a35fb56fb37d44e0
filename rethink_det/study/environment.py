"""What a run is done by: versions, device, commit, command; no folder of this machine in it."""

import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

import torch

from rethink_det.architecture.provenance import versions
from rethink_det.report.environment import Environment
from rethink_det.report.places import placed

PACKAGE = Path(__file__).resolve().parents[1]


def environment(arguments: Sequence[str], root: Path, started: datetime) -> Environment:
    """That of this process.

    Args:
        arguments: The program and its arguments, as ``sys.argv`` has them; none if not known.
        root: Folder of the study.
        started: When the run was, with its time zone.
    """
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU'
    return Environment(
        started=started.astimezone(timezone.utc).isoformat(timespec='seconds'),
        command=command(arguments, root) or None,
        commit=commit(PACKAGE),
        device=f'{device}, {os.cpu_count()} cores, {platform.machine()}',
        python=platform.python_version(),
        versions=versions(),
    )


@cache  # it is that of the modules that this process has loaded, however the files change
def commit(package: Path) -> str | None:
    """The commit that a package's source is at, ``-dirty`` behind it if it was changed since.

    None where its files are not under version control, though a folder above them may be: an
    environment inside the repository of another project.
    """
    try:
        _git(package, 'ls-files', '--error-unmatch', '__init__.py')
        return _git(package, 'describe', '--always', '--dirty', '--abbrev=12', '--exclude=*')
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ['git', *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip()


def command(arguments: Sequence[str], root: Path) -> str:
    """A command line as it was typed, but for folders that are this machine's.

    Args:
        arguments: As ``sys.argv`` has them.
        root: Folder of the study.
    """
    if not arguments:
        return ''
    program, *others = arguments
    name, folder = os.path.basename(program), os.path.basename(os.path.dirname(program))
    known = {'-c': 'python -c', '__main__.py': f'python -m {folder}'}
    start = known.get(name, f'python {name}' if name.endswith('.py') else name)
    return ' '.join([start, *(shlex.quote(placed(text, root, Path.cwd())) for text in others)])
