"""The API reference: a page a room, with what its ``__all__`` names, by mkdocstrings."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import rethink_det
from docs.generators.tables import table
from rethink_det.registry import PRUNERS

PACKAGE = Path(__file__).resolve().parents[2] / 'rethink_det'
MODULES = (
    'rethink_det.arms',
    'rethink_det.errors',
    'rethink_det.files',
    'rethink_det.layout',
    'rethink_det.registered',
    'rethink_det.registry',
    'rethink_det.report.page',
    'rethink_det.training.config',
)
"""Single modules that users or writers of plug-ins read."""
PAGE = """# {title}

::: {title}
    options:
      show_root_heading: false
      show_root_toc_entry: false
      members: {members}
"""
FRONT = """# rethink_det

What stands in front of the package is imported when it is first used.

"""


def rooms() -> dict[str, list[str]]:
    """The public names of each room, by the room's full name.

    Raises:
        ValueError: A room does not say what is public in it.
    """
    files = sorted(PACKAGE.glob('*/**/__init__.py'))
    named = {file: _listed(ast.parse(file.read_text()), '__all__') for file in files}
    first = {file.parent: names for file, names in named.items() if _is_room(file, names)}
    return {_name(folder): names for folder, names in first.items()}


def pages() -> dict[str, str]:
    """The pages, by their paths; what two rooms name stands on the page of the first."""
    found, seen = {'api/index.md': front_page()}, {*map(id, PRUNERS.module_dict.values())}
    for room, public in rooms().items():
        things = {name: getattr(import_module(room), name, None) for name in public}
        new = [name for name in public if things[name] is None or id(things[name]) not in seen]
        seen |= {id(thing) for thing in things.values()}
        plain = [name for name in new if not _is_file(room, name)]
        if new:
            found[f'api/{room}.md'] = PAGE.format(title=room, members=plain) + ''.join(
                f'\n::: {place_of(room, name)}\n' for name in new if name not in plain
            )
    for module in MODULES:
        found[f'api/{module}.md'] = PAGE.format(title=module, members=True)
    return found


def place_of(room: str, name: str) -> str:
    """Where a reader of files finds a name: within the module of the same name, if there is one.

    Args:
        room: Full name of a room, or of a module.
        name: Public in it.
    """
    is_module = inspect.ismodule(getattr(import_module(room), name, None))
    inside = _is_file(room, name) and not is_module and hasattr(import_module(room), name)
    return f'{room}.{name}.{name}' if inside else f'{room}.{name}'


def front_page() -> str:
    """What ``rethink_det`` itself gives, with the first lines of the docstrings."""
    names = [name for name in rethink_det.__all__ if name in rethink_det._HOMES]
    rows = [
        (f'[`{name}`][{getattr(rethink_det, name).__module__}.{name}]', _first_line(name))
        for name in names
    ]
    return FRONT + table(('from `rethink_det`', 'what it is'), rows)


def _first_line(name: str) -> str:
    return (inspect.getdoc(getattr(rethink_det, name)) or '').partition('\n')[0]


def _is_room(file: Path, names: list[str] | None) -> bool:
    if names is None and file.parent.parent == PACKAGE:
        raise ValueError(f'{file}: a room says in __all__ what is public in it')
    return bool(names)


def _name(folder: Path) -> str:
    return '.'.join(('rethink_det', *folder.relative_to(PACKAGE).parts))


def _is_file(room: str, name: str) -> bool:
    return PACKAGE.joinpath(*room.split('.')[1:], f'{name}.py').is_file()


def _listed(tree: ast.Module, name: str) -> list[str] | None:
    """The texts that a module assigns to a name."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return list(ast.literal_eval(node.value))
    return None
