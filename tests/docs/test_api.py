"""The API reference has what the rooms say is public, and all of it is documented."""

import pytest

pytest.importorskip('griffe', reason='needs the extra docs')

import griffe

from docs.generators import api

PACKAGE = griffe.load('rethink_det')


def found(path):
    """What stands at a path, whatever name it has there."""
    thing = PACKAGE[path.removeprefix('rethink_det.')]
    return thing.final_target if thing.is_alias else thing


def own(thing):
    """The public members that are defined in it."""
    return [
        member
        for name, member in thing.members.items()
        if not name.startswith('_') and not member.is_alias and not member.is_module
    ]


def told(kind):
    """Names that the docstrings of a class and of its parents explain."""
    parts = [
        part
        for one in [kind, *kind.mro()]
        if one.docstring
        for part in one.docstring.parse('google', warnings=False)
    ]
    kinds = ('attributes', 'parameters')
    return {item.name for part in parts if part.kind.value in kinds for item in part.value}


def undocumented(thing):
    """Paths of what has no docstring, the thing itself included."""
    missing = [] if thing.has_docstring else [thing.path]
    if thing.is_module or thing.is_class:
        known = told(thing) if thing.is_class else ()
        for member in own(thing):
            missing += undocumented(member) if member.name not in known else []
    return missing


PLACES = sorted(
    {api.place_of(room, name) for room, names in api.rooms().items() for name in names}
    | set(api.MODULES)
)


@pytest.mark.parametrize('place', PLACES)
def test_what_the_reference_shows_is_documented(place):
    assert undocumented(found(place)) == []


def test_every_public_name_has_a_place():
    pages = api.pages()
    shown = '\n'.join(pages.values())
    for room, names in api.rooms().items():
        for name in names:
            assert name in api.PRUNERS.module_dict or name in shown, f'{room}.{name}'
    assert '[`prune`][rethink_det.pruning.pruner.prune]' in pages['api/index.md']
    assert '::: rethink_det.study.with_backbone.with_backbone' in pages['api/rethink_det.study.md']


def test_a_room_that_does_not_say_what_is_public_is_refused(tmp_path, monkeypatch):
    (tmp_path / 'room').mkdir()
    (tmp_path / 'room' / '__init__.py').write_text('from os import path\n')
    monkeypatch.setattr(api, 'PACKAGE', tmp_path)
    with pytest.raises(ValueError, match=r'room/__init__.py: a room says in __all__'):
        api.rooms()
