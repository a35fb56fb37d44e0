"""A page a pruner follows from its module's docstring, which must say all that the page has."""

import sys
from types import ModuleType

import pytest

pytest.importorskip('griffe', reason='needs the extra docs')

from docs.generators import pruners
from rethink_det.registry import PRUNERS

TOLD = """Filters that look alike.

Paper: On Likeness (arXiv 2001.00001),
section 2.
Deviation: none.
Expected: ``resnet56-a``.
"""


@pytest.fixture
def newcomer(monkeypatch):
    """A pruner more, in a module with that docstring."""

    def add(docstring):
        module = ModuleType('likeness', docstring)
        kind = type('LikenessPruner', (), {'__module__': 'likeness'})
        monkeypatch.setitem(sys.modules, 'likeness', module)
        monkeypatch.setitem(PRUNERS.module_dict, 'LikenessPruner', kind)
        monkeypatch.setattr(pruners, 'public', [*pruners.public, 'LikenessPruner'])

    return add


def test_every_registered_pruner_has_a_page():
    PRUNERS.import_from_location()
    pages = pruners.pages()
    assert set(pages) == {f'pruners/{name}.md' for name in ('index', *PRUNERS.module_dict)}
    assert (
        '[arXiv 1608.08710](https://arxiv.org/abs/1608.08710)' in pages['pruners/L1NormPruner.md']
    )


def test_a_new_pruner_has_one_by_itself(newcomer):
    newcomer(TOLD)
    pages = pruners.pages()
    page = pages['pruners/LikenessPruner.md']
    assert '# LikenessPruner\n\nFilters that look alike.\n\n## The paper' in page
    assert '## Expected numbers\n\n``resnet56-a``.' in page
    assert '::: rethink_det.pruning.LikenessPruner' in page
    assert '[`LikenessPruner`](LikenessPruner.md)' in pages['pruners/index.md']


@pytest.mark.parametrize(
    'docstring, lacking',
    [
        (TOLD.replace('Expected', 'Numbers'), 'Expected:'),
        (TOLD.replace('Deviation: none.', 'Deviation:'), 'Deviation:'),
        (TOLD.partition('\n')[2], 'a first line'),
        (None, 'Paper:, Deviation:, Expected:'),
    ],
)
def test_a_missing_part_is_refused(newcomer, docstring, lacking):
    newcomer(docstring)
    with pytest.raises(ValueError, match=f'LikenessPruner: .* lacks {lacking}$'):
        pruners.pages()
