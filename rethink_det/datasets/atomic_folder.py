"""A folder that is there complete or not at all, whoever builds it and however often."""

import contextlib
import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from rethink_det.errors import UserError


class FolderError(UserError):
    """The folder cannot be written: no permission, no space, a read-only file system."""


def build_folder(root: Path, is_ready: Callable[[], bool], fill: Callable[[Path], None]) -> None:
    """Makes ``root`` by filling a temporary sibling folder and renaming it.

    Any number of processes may call this for one root at once: one fills, the others
    wait for it (where the file system has no locks, the first to finish wins).

    Args:
        root: The folder to make; its parents are made too.
        is_ready: Whether ``root`` holds the wanted content. It raises ``UserError`` if
            something else is there, so that nothing of the user's is ever replaced.
        fill: Writes the content into the empty folder that it is given.

    Raises:
        FolderError: The folder cannot be written.
        UserError: ``is_ready`` says that it is taken.
    """
    try:
        if is_ready():
            return
        root.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(root.parent) as alone:
            if is_ready():
                return
            if alone:
                _sweep(root)
            draft = root.parent / f'{_draft_prefix(root)}{uuid.uuid4().hex}'
            draft.mkdir()
            try:
                fill(draft)
                _publish(draft, root, is_ready)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise FolderError(
            f'{root}: the folder cannot be made ({error.strerror or error}); free the space '
            'or the permission it lacks, or choose another data_root'
        ) from error


def _publish(draft: Path, root: Path, is_ready: Callable[[], bool]) -> None:
    """Renames the draft to root, unless another process did so just before."""
    try:
        os.rename(draft, root)
    except OSError:
        if not is_ready():
            raise


@contextlib.contextmanager
def _alone_in(parent: Path) -> Iterator[bool]:
    """Waits for the other builders in a folder; yields whether the file system can lock.

    The lock is on the folder itself: it leaves no file, and ends with the process.
    """
    handle = os.open(parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _draft_prefix(root: Path) -> str:
    return f'.{root.name}.building-'


def _sweep(root: Path) -> None:
    """Removes the drafts that killed builders of this root left behind."""
    for draft in root.parent.glob(f'{_draft_prefix(root)}*'):
        shutil.rmtree(draft, ignore_errors=True)
