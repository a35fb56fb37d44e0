"""A run keeps by what it was done, and nothing of where this machine keeps its files."""

import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from rethink_det.study.environment import PACKAGE, command, commit, environment


@pytest.fixture
def repository(tmp_path):
    """A package under version control, and one beside it that is not."""
    for name in ('mine', 'other'):
        (tmp_path / name).mkdir()
        (tmp_path / name / '__init__.py').write_text('')
    git = ['git', '-c', 'user.name=A', '-c', 'user.email=a@example.org']
    for arguments in (['init', '-q'], ['add', 'mine'], ['commit', '-q', '-m', 'First']):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True)
    return tmp_path


def test_it_names_what_a_result_depends_on():
    told = environment(
        ['rethink-det', 'study'], Path('/s'), datetime(2026, 1, 2, 3, 4, 5).astimezone()
    )
    assert {'torch', 'torchvision', 'rethink-det'} <= told.versions.keys()
    assert told.command == 'rethink-det study'
    assert datetime.fromisoformat(told.started).tzinfo == timezone.utc
    assert 'cores' in told.device and told.python.count('.') == 2


def test_a_command_is_shown_as_typed_without_folders_of_this_machine(home):
    root = home / 'project' / 'work'
    typed = [
        str(home / '.venv/bin/rethink-det'), 'study', 'demo', '--work-dir', str(root), '--ray',
        f'a.b={home}/data', str(root / 'x y.json'), '/data/coco', str(home / 'project/c.py'),
    ]  # fmt: skip
    shown = command(typed, root)
    assert str(home) not in shown
    assert shown.startswith('rethink-det study demo --work-dir . --ray ')
    assert shown.endswith(" 'x y.json' /data/coco c.py")
    assert '~/data' in shown


@pytest.mark.parametrize(
    'arguments, shown',
    [
        ([], ''),
        (['-c', '1'], 'python -c 1'),
        (['/a/rethink_det/cli/__main__.py', 'study'], 'python -m cli study'),
        (['/a/tools/study.py'], 'python study.py'),
    ],
)
def test_programs_have_their_usual_names(arguments, shown):
    assert command(arguments, Path('/nowhere')) == shown


def test_a_commit_is_that_of_the_package_and_of_no_repository_around_it(repository):
    mine = commit(repository / 'mine')
    assert len(mine) == 12 and not mine.endswith('dirty')
    assert commit(repository / 'other') is None
    assert commit(repository / 'nowhere') is None


def test_changes_since_the_commit_are_told(repository):
    (repository / 'mine' / '__init__.py').write_text('changed = True')
    assert commit(repository / 'mine').endswith('-dirty')


def test_this_package_is_in_a_checkout_or_says_nothing():
    assert commit(PACKAGE) is None or len(commit(PACKAGE).removesuffix('-dirty')) >= 12
