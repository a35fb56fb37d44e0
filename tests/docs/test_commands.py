"""The page of the commands is what they say of themselves."""

import pytest

pytest.importorskip('griffe', reason='needs the extra docs')

from docs.generators import commands
from rethink_det.cli import COMMANDS
from rethink_det.cli.study_tools import TOOLS


def test_every_command_stands_there_with_its_help():
    (page,) = commands.pages().values()
    for name, summary in COMMANDS.items():
        assert f'\n## {name}\n\n{summary}\n\n```text\nusage: rethink-det {name} ' in page
    for name in TOOLS:
        assert f'\n## study {name}\n' in page and f'usage: rethink-det study {name} ' in page
    assert page.count('--work-dir') >= 5


def test_what_is_no_command_says_nothing(capsys):
    with pytest.raises(ValueError, match="'sculpt' printed no help"):
        commands.help_of('sculpt')
