"""The shape of the tests themselves: what has a test of its name, and how much of it refuses.

A newcomer finds what tests ``rethink_det/a/b.py`` in ``tests/a/test_b.py``. And since mistakes are
to be refused by name, one assertion in seven is that something is.
"""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / 'rethink_det'
TESTS = Path(__file__).resolve().parent
NAMED = 0.7
"""Share of modules that have a test file of their name, at least."""
REFUSALS = 1 / 7
"""Share of ``pytest.raises`` among all that is asserted, at least."""


def modules():
    """Those with code: what only imports, or only documents its folder, tests others' names."""
    for path in sorted(PACKAGE.rglob('*.py')):
        body = ast.parse(path.read_text()).body
        if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body):
            yield path.relative_to(PACKAGE)


def files_testing(module):
    """Where a test of a module may stand; of ``a/__init__.py`` in ``test_a.py``."""
    if module.name == '__init__.py':
        name = f'test_{module.parent.name or "rethink_det"}.py'
        return TESTS / module.parent / name, TESTS / module.parent.parent / name
    return (TESTS / module.parent / f'test_{module.name}',)


def shares():
    """The two shares: of modules that have a test file of their name, of refusals."""
    known = [any(file.is_file() for file in files_testing(module)) for module in modules()]
    nodes = [n for file in TESTS.rglob('test_*.py') for n in ast.walk(ast.parse(file.read_text()))]
    claims = sum(isinstance(node, ast.Assert) for node in nodes)
    refusals = sum(isinstance(n, ast.Attribute) and n.attr == 'raises' for n in nodes)
    return sum(known) / len(known), refusals / (claims + refusals)


def test_modules_have_tests_of_their_name_and_mistakes_are_refused():
    named, refused = shares()
    assert named >= NAMED
    assert refused >= REFUSALS
