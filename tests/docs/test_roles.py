"""Roles in docstrings become links, and one that names nothing is an error."""

import pytest

pytest.importorskip('griffe', reason='needs the extra docs')

import griffe

from docs.generators import roles

HOME = 'house.rooms.kitchen'
FILES = {
    '': '"""A house."""\n',
    'rooms': '"""Rooms."""\n',
    'rooms.kitchen': (
        '"""Cooks."""\nfrom house.rooms.cellar import Wine\nHOT, COLD = DISHES = (1, 2)\n'
        'class Cook:\n    """Cooks."""\n    def stir(self):\n        """%s"""\n'
    ),
    'rooms.cellar': '"""Keeps."""\nclass Wine:\n    """Red."""\n    def age(self): ...\n',
}


@pytest.fixture
def link(tmp_path):
    """Turns a text as if it stood in the docstring of a method."""
    for place, text in FILES.items():
        folder = tmp_path.joinpath('house', *place.split('.')) if place else tmp_path / 'house'
        file = folder / '__init__.py' if place in ('', 'rooms') else folder.with_suffix('.py')
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    package = griffe.load('house', search_paths=[tmp_path])
    return lambda text: roles.linked(text, package['rooms.kitchen.Cook.stir'])


@pytest.mark.parametrize(
    'role, target, label',
    [
        (':meth:`stir`', f'{HOME}.Cook.stir', 'stir'),
        (':class:`Cook`', f'{HOME}.Cook', 'Cook'),
        (':class:`Wine`', 'house.rooms.cellar.Wine', 'Wine'),
        (':meth:`~house.rooms.cellar.Wine.age`', 'house.rooms.cellar.Wine.age', 'age'),
        (':mod:`.cellar`', 'house.rooms.cellar', 'cellar'),
        (':data:`DISHES`', 'DISHES', 'DISHES'),
        (':class:`torch.nn.Module`', 'torch.nn.Module', 'torch.nn.Module'),
    ],
)
def test_a_role_is_a_link_to_what_it_names(link, role, target, label):
    assert link(f'See {role}.') == (
        f'See <autoref optional identifier="{target}">`{label}`</autoref>.'
    )


@pytest.mark.parametrize(
    'role', [':meth:`fry`', ':mod:`.attic`', ':class:`~house.rooms.cellar.Beer`', ':data:`WARM`']
)
def test_a_role_that_names_nothing_is_refused(link, role):
    with pytest.raises(ValueError, match=r'kitchen.Cook.stir: its docstring names .* is nothing'):
        link(role)


def test_all_docstrings_of_the_package_name_what_is_there():
    package = griffe.load('rethink_det', extensions=griffe.load_extensions(roles.Roles))
    assert '<autoref' in package['training.hooks.mask.MaskHook'].docstring.value
    assert 'Examples:' in package['study.config.Study'].docstring.value
