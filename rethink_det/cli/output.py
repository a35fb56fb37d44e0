"""``-o``: where a command writes its file, so that nothing is lost by it."""

import json
import os
import tempfile
from pathlib import Path

from rethink_det.architecture.checkpoint import CONVENTION, Checkpoint
from rethink_det.architecture.loading import FORMAT
from rethink_det.errors import UserError, refused_by_system

_WRITTEN_HERE = tuple(key.encode() for key in (FORMAT, CONVENTION))
"""One of them is in every ONNX file of this package, whose metadata are plain text in it."""


def check_output(
    out: str | os.PathLike, inputs: tuple[str | os.PathLike | None, ...], force: bool
) -> None:
    """Refuse a place where the result could not be written, or would destroy something.

    To be called before the work. A link stands for what it leads to.

    Args:
        out: The file that the command is going to write.
        inputs: What it reads; None and names that are no files are passed over.
        force: Whether a file of somebody else's may be written over.

    Raises:
        UserError: It is one of the inputs, a folder, a device, a file of somebody else's, or
            cannot be written.
    """
    target = Path(os.path.realpath(out))
    try:
        if target.is_dir() or os.fspath(out).endswith(os.sep):
            raise UserError(f'{out} is a folder: name a file in it.')
        if target.exists():
            _check_existing(out, target, inputs, force)
        _check_folder(target)
    except OSError as error:
        raise UserError(f'{out} cannot be written: {refused_by_system(error)}') from None


def _check_existing(
    out: str | os.PathLike, target: Path, inputs: tuple[str | os.PathLike | None, ...], force: bool
) -> None:
    if not target.is_file():
        raise UserError(f'{out} is a device or a pipe: name a file.')
    taken = next((i for i in inputs if i and os.path.exists(i) and target.samefile(i)), None)
    if taken is not None:
        raise UserError(f'{out} is {taken}, which is read: name another file for the result.')
    if not force and target.stat().st_size and not _is_ours(target):
        raise UserError(
            f'{out} is there, and this package did not write it: name another file, or add '
            '--force to write over it.'
        )
    if not os.access(target, os.W_OK):
        raise UserError(f'{out} is write-protected: name another file.')


def _check_folder(target: Path) -> None:
    """Try to make such a file where it will lie, and leave nothing behind."""
    folder = next(parent for parent in target.parents if parent.exists())
    with tempfile.TemporaryFile(dir=folder):
        pass


def _is_ours(path: Path) -> bool:
    """Whether a file says that this package wrote it: a checkpoint, a network, metrics."""
    if path.suffix == '.onnx':
        content = path.read_bytes()
        return any(word in content for word in _WRITTEN_HERE)
    if path.suffix == '.json':
        return _are_metrics(path)
    try:
        checkpoint = Checkpoint.read(path)
    except UserError:
        return False
    return checkpoint.architecture is not None or checkpoint.provenance.arm is not None


def _are_metrics(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError):
        return False
    numbers = (int, float, type(None))
    return isinstance(content, dict) and all(isinstance(v, numbers) for v in content.values())
