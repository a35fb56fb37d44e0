"""Where a trained network is: its checkpoint, and the config that trained it."""

from os import PathLike
from pathlib import Path
from typing import NamedTuple

from rethink_det.errors import UserError
from rethink_det.layout import CONFIG
from rethink_det.training.resumable import last_checkpoint

BEST = 'best_*.pth'


class TrainedFiles(NamedTuple):
    """A checkpoint and the config that trained it."""

    config: Path
    checkpoint: Path


def find_trained(place: str | PathLike, config: str | PathLike | None = None) -> TrainedFiles:
    """The files of a training.

    Args:
        place: A checkpoint, or the work dir of a training or of a study's run: the best
            checkpoint in it, if one was kept, or else the newest.
        config: The config, if it does not lie beside the checkpoint.

    Raises:
        UserError: There is no checkpoint, or no config, or there are several.
    """
    checkpoint = find_checkpoint(place)
    return TrainedFiles(config_beside(checkpoint) if config is None else Path(config), checkpoint)


def find_checkpoint(place: str | PathLike) -> Path:
    """The checkpoint of a training; arguments and errors as of :func:`find_trained`."""
    place = Path(place)
    if place.is_dir():
        return _checkpoint_in(place)
    if not place.is_file():
        raise UserError(f'{place} does not exist: give a checkpoint or the work dir of a training.')
    return place


def _checkpoint_in(folder: Path) -> Path:
    best = sorted(folder.glob(BEST), key=lambda path: path.stat().st_mtime)
    every = sorted(folder.glob('*.pth'))
    found = best[-1] if best else every[0] if len(every) == 1 else last_checkpoint(folder)
    if found is None:
        what = f'{len(every)} checkpoints' if every else 'no checkpoint'
        raise UserError(f'{folder} holds {what}, and no training says which is its last: name one.')
    return found


def config_beside(checkpoint: Path) -> Path:
    """The config of a training; errors as of :func:`find_trained`."""
    folder = checkpoint.parent
    own = folder / CONFIG
    found = [own] if own.is_file() else sorted(folder.glob('*.py'))
    if len(found) == 1:
        return found[0]
    what = 'no config lies' if not found else f'{len(found)} Python files lie'
    raise UserError(f'{checkpoint}: {what} beside it: say which one trained it by --config.')
