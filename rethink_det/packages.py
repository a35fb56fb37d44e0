"""Packages that this one can use and that may be missing: nothing is ever installed from here."""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from rethink_det.errors import UserError

DISTRIBUTIONS = {
    'mmdet': 'mmdetection',
    'mmseg': 'mmsegmentation',
    'mmcv': 'mmcv',
    'mmpretrain': 'mmpretrain',
}
"""What import names are called in a package index, behind ``onedl-`` in that line."""


def folder_of(package: str, who: str) -> Path:
    """Where a package is installed; it is not imported.

    Args:
        package: The name that it is imported by, ``'mmdet'``.
        who: What needs it, for the message.

    Raises:
        UserError: It is not there; says what to install.
    """
    found = find_spec(package) if package.isidentifier() else None
    places = found.submodule_search_locations if found else None
    if not places:
        raise UserError(
            f'{who} needs the package {package!r}, which is not installed{_how(package)}'
        )
    return Path(places[0])


def _how(package: str) -> str:
    """What to install; of the same line as MMEngine, since two lines overwrite each other."""
    name = DISTRIBUTIONS.get(package)
    if name is None:
        known = ', '.join(DISTRIBUTIONS)
        return f'; if the name is mistyped: of MMEngine there are {known}.'
    return f': pip install {_in_this_line(package, name)}.'


def _in_this_line(package: str, name: str) -> str:
    try:
        version('onedl-mmengine')
    except PackageNotFoundError:
        return package if package == 'mmdet' else name
    return f'onedl-{name}'
