"""The unpruned networks that a study names: ``classification.parents`` and what goes with it.

Without it each seed of a study trains a parent of its own. With it the design is crossed: every
seed prunes and trains from every parent.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rethink_det.bounds import check_folder_name, check_number
from rethink_det.errors import UserError, shown

Parent = int | str
"""The seed that an unpruned network is trained with, or the checkpoint of a trained one."""
KEY = 'study.classification.parents'
TINY = 1e-6
"""Of an epoch; nothing was trained for less."""


def name_of(parent: Parent) -> str:
    """What a parent is called in keys, folders and results: its seed, or its file's stem."""
    return str(parent) if isinstance(parent, int) else Path(parent).stem


def check_parents(parents: Any) -> None:
    """Refuse parents that are none, or of which two have one name.

    Raises:
        UserError: Names the parent, and what is valid.
    """
    if not isinstance(parents, Sequence) or isinstance(parents, str):
        raise UserError(f'{KEY} must be a list of seeds and files, got {shown(parents)}.')
    for parent in parents:
        if isinstance(parent, bool) or not isinstance(parent, Parent):
            raise UserError(f'{KEY}: {shown(parent)} is neither the seed of a parent nor its file.')
        check_folder_name(f'{KEY}: the name of {shown(parent)}', name_of(parent))
    names = [name_of(parent) for parent in parents]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f'{KEY}: two are named {twice!r}; give one of the files another name.')


def check_parent_epochs(epochs: Any, given: Sequence[str]) -> None:
    """Refuse epochs that are no number, or of no given parent.

    Args:
        epochs: ``classification.parent_epochs``; None if the study does not say.
        given: Files of the given parents.

    Raises:
        UserError: Names the key, and what is valid.
    """
    key = 'study.classification.parent_epochs'
    if epochs is None:
        return
    if not given:
        raise UserError(f'{key} is for a given parent, and the study trains its own.')
    check_number(key, epochs, least=TINY)
