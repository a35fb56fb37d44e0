"""Which files in a run's folder this package wrote, itself or by MMEngine; all others are kept."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from rethink_det.layout import CONFIG, EVALUATION, RUN_FILES, TRIALS
from rethink_det.report import checksums

CHECKPOINT = re.compile(r'(epoch|iter)_\d+\.pth')
"""A checkpoint of a training that goes on, as MMEngine names it."""
_STAMP = r'\d{8}_\d{6}'
_BY_MMENGINE = re.compile(
    rf'last_checkpoint|{_STAMP}/({_STAMP}\.(log|json)|vis_data/({re.escape(CONFIG)}|scalars\.json|{_STAMP}\.json'
    r'|events\.out\.tfevents\.[\w.-]+))'
)
_MARK = b'mmengine_version'
"""In the meta of every checkpoint of MMEngine's."""


def own_files(folder: Path) -> Iterator[Path]:
    """The files below a run's folder that this package wrote; links are none of them.

    Args:
        folder: Of the run.
    """
    found = (path for path in folder.rglob(f'vis_data/{CONFIG}') if path.is_file())
    configs = {path.read_bytes() for path in found}
    for path in sorted(folder.rglob('*')):
        if path.is_file() and not path.is_symlink() and _is_own(path, folder, configs):
            yield path


def _is_own(path: Path, folder: Path, configs: set[bytes]) -> bool:
    name = _within_the_run(path.relative_to(folder).as_posix())
    if CHECKPOINT.fullmatch(name):
        return is_checkpoint(path)
    if name.endswith('.py') and '/' not in name:
        # The config under its own name, and of an older release, where MMEngine wrote it.
        return name in RUN_FILES or checksums.is_sealed(path) or path.read_bytes() in configs
    return name in RUN_FILES or bool(_BY_MMENGINE.fullmatch(name))


def _within_the_run(name: str) -> str:
    """The name of a file within the trial or the evaluation that it belongs to, if it does."""
    return re.sub(rf'^({TRIALS}/lr[^/]+|{EVALUATION})/', '', name)


def is_checkpoint(path: Path) -> bool:
    """Whether a file says that MMEngine wrote it in a training."""
    try:
        with zipfile.ZipFile(path) as archive:
            pickled = [name for name in archive.namelist() if name.endswith('/data.pkl')]
            return any(_MARK in archive.read(name) for name in pickled)
    except (OSError, zipfile.BadZipFile):
        return False
