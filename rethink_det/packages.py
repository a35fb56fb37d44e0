"""Packages that this one can use and that may be missing: nothing is ever installed from here."""

import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version
from importlib.util import find_spec
from pathlib import Path

from rethink_det.errors import UserError

DISTRIBUTIONS = {
    'mmdet': 'mmdetection',
    'mmseg': 'mmsegmentation',
    'mmcv': 'mmcv',
    'mmpretrain': 'mmpretrain',
    'mmrotate': 'mmrotate',
}
"""What import names are called in a package index, behind ``onedl-`` in that line."""

COMPILED_MMCV = re.compile(r'onedl-mmcv-(?P<device>\w+)-torch(?P<major>\d+)-(?P<minor>\d+)')
"""Names of onedl's wheels of mmcv with compiled operators: for one CUDA, one release of torch."""


@cache
def compiled_mmcv() -> dict[str, str]:
    """Versions by name of the wheels of mmcv with compiled operators that are installed here."""
    named = {re.sub(r'[-_.]+', '-', one.name).lower(): one.version for one in distributions()}
    return {name: number for name, number in named.items() if COMPILED_MMCV.fullmatch(name)}


LIBRARIES = ('timm', 'torchvision')
"""Whose published weights may be named where a checkpoint is asked for."""
LIBRARY_NAME = re.compile(rf'({"|".join(LIBRARIES)}):(?!//)(.+)', re.DOTALL)
"""Such a name, ``timm:resnet18``; ``torchvision://resnet18`` is MMEngine's."""


def is_library_name(name: object) -> bool:
    """Whether it is ``timm:NAME`` or ``torchvision:NAME``, and no file of that name is there."""
    return isinstance(name, str) and bool(LIBRARY_NAME.fullmatch(name)) and not Path(name).exists()


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
        raise _missing(package, who)
    return Path(places[0])


def check_installed(module: str, who: str) -> None:
    """Refuse a module whose package, or file, is not there; it is not imported.

    Args:
        module: Absolute, ``'mmdet.models'``.
        who: As of :func:`folder_of`.

    Raises:
        UserError: As of :func:`folder_of`.
    """
    package = module.partition('.')[0]
    if not is_installed(package):
        raise _missing(package, who)


def is_installed(package: str) -> bool:
    """Whether a package, or a module of a file, is there; it is not imported."""
    return package in sys.modules or (package.isidentifier() and find_spec(package) is not None)


def _missing(package: str, who: str) -> UserError:
    return UserError(f'{who} needs the package {package!r}, which is not installed{_how(package)}')


def refuse_missing(error: BaseException, who: str) -> None:
    """Say what to install, if an error comes of a package that is not there; else nothing.

    Args:
        error: Of an import, or MMEngine's of a config or a type in a package.
        who: As of :func:`folder_of`.

    Raises:
        UserError: As of :func:`folder_of`.
    """
    for package in _named_by(error):
        check_installed(package, who)


def _named_by(error: BaseException | None) -> Iterator[str]:
    """The packages that an error, and those that led to it, say they did not find."""
    while error is not None:
        words = str(error)
        if isinstance(error, ModuleNotFoundError):
            name = error.name or ''
            yield from [name.partition('.')[0]] if re.fullmatch(r'[\w.]+', name) else []
            named = set(re.findall(r'\w+', words))
            yield from (one for one, other in DISTRIBUTIONS.items() if {one, other} & named)
        elif isinstance(error, KeyError) and 'is not in the' in words:  # MMEngine of a type
            scope = re.match(r"""['"]?(\w+)\.\w""", words)
            yield from [scope[1]] if scope and scope[1] in DISTRIBUTIONS else []
        elif isinstance(error, AssertionError):
            yield from re.findall(r'does not support to load (\w+) config', words)
        error = error.__cause__ or error.__context__


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
