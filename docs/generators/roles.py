"""Sphinx's roles in docstrings, ``:class:`~package.Name```, become links within the site.

A name is looked up as Python would from where it stands: the class, then the module, then by its
full path. What is not public has no page, and stays a name.
"""

import re
from typing import Any

import griffe

ROLE = re.compile(r':(?:attr|class|data|exc|func|meth|mod|obj):`(~?)(\.*)([\w.]+)`')

EXAMPLE = re.compile(r'^( *)Example:$', re.MULTILINE)
"""The title of what is run as a doctest, which is shown as code under the other of its names."""


def linked(text: str, scope: griffe.Object | None = None) -> str:
    """A text with links in the place of roles.

    Args:
        text: Of a docstring.
        scope: Whose docstring it is.

    Raises:
        ValueError: A role names nothing.
    """

    def link(match: re.Match[str]) -> str:
        short, dots, name = match.groups()
        label = name.rpartition('.')[2] if short else name
        path = _path(name, bool(dots), scope) if scope else name
        return f'<autoref optional identifier="{path}">`{label}`</autoref>'

    return ROLE.sub(link, text)


def _path(name: str, relative: bool, scope: griffe.Object) -> str:
    """The full path of a name in a scope; names of other packages are left as they are."""
    package, head = scope.package, name.partition('.')[0]
    if relative:
        folder = scope.module if scope.module.is_init_module else scope.module.parent
        name = f'{folder.path}.{name}' if folder else name
    elif head != package.path:
        around = (place for place in _around(scope) if head in place.all_members)
        place = next(around, None)
        if place is None and ('.' in name or _is_assigned(name, scope.module)):
            return name
        name = f'{place.path}.{name}' if place else name
    place, _, last = name.removeprefix(f'{package.path}.').rpartition('.')
    try:
        return package[f'{place}.{last}' if place else last].canonical_path
    except griffe.AliasResolutionError:  # `torch.save`
        return name
    except KeyError:
        if _has_module(package, place) and _is_assigned(last, package[place]):
            return name
        raise ValueError(f'{scope.path}: its docstring names {name}, which is nothing') from None


def _has_module(package: griffe.Module, path: str) -> bool:
    try:
        return bool(path) and package[path].is_module
    except KeyError:
        return False


def _is_assigned(name: str, module: griffe.Module) -> bool:
    """Whether a module has it from an assignment of several names, which griffe does not see."""
    assigned = re.compile(rf'[\w, =]*\b{name}\b[\w, ]*=')
    return any(map(assigned.match, module.lines))


def _around(scope: griffe.Object) -> list[griffe.Object]:
    """The scope, and what it stands in up to its module."""
    found = [scope]
    while not found[-1].is_module and found[-1].parent is not None:
        found.append(found[-1].parent)
    return found


class Roles(griffe.Extension):
    """Rewrites the docstrings of a package once it is read."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Rewrite all of them."""
        waiting: list[griffe.Object | griffe.Alias] = [pkg]
        while waiting:
            one = waiting.pop()
            if isinstance(one, griffe.Alias):
                continue
            if one.docstring:
                text = EXAMPLE.sub(r'\1Examples:', one.docstring.value)
                one.docstring.value = linked(text, one)
            waiting += one.members.values()
