"""A command costs what it needs: nothing else is imported, and the list of all is free."""

from importlib import import_module
from pathlib import Path

import pytest

from rethink_det import UserError, __version__, cli
from tests.fresh_process import fresh

MAIN = 'import sys; from rethink_det.cli import main; main(sys.argv[1:])'
HEAVY = {'torch', 'mmengine', 'mmdet', 'mmcv', 'cv2', 'numpy', 'matplotlib', 'scipy'}
SCRIPTS = Path(__file__).resolve().parents[2] / 'tools'


@pytest.mark.parametrize(
    'code, arguments, told',
    [
        (MAIN, ['--version'], __version__),
        (MAIN, ['--help'], 'COMMAND'),
        ('import rethink_det; print(rethink_det.UserError)', [], 'rethink_det.errors.UserError'),
    ],
)
def test_what_needs_no_command_is_quick(code, arguments, told):
    done = fresh(code, *arguments)
    assert told in done.out
    assert len(done.modules) < 200
    assert not HEAVY & done.packages


def test_help_of_a_command_imports_that_command_alone():
    done = fresh(MAIN, 'report', '--help')
    assert cli.COMMANDS['report'] in ' '.join(done.out.split())
    commands = {module for module in done.modules if module.startswith('rethink_det.cli.')}
    words = 'rethink_det.cli.study_tools'  # the list of what else there is
    assert commands - {words} == {'rethink_det.cli.report'}


def test_help_lists_every_command_with_what_it_does(command):
    done = command('--help')
    assert done.status == 0
    text = ''.join(done.out.split())  # argparse breaks lines, at hyphens too
    for name, summary in cli.COMMANDS.items():
        assert ''.join(f'{name} {summary}'.split()) in text


@pytest.mark.parametrize('name', cli.COMMANDS)
def test_summary_is_the_first_line_of_the_commands_own_words(name):
    assert import_module(f'rethink_det.cli.{name}').__doc__.splitlines()[0] == cli.COMMANDS[name]


def test_every_command_has_a_script():
    assert {path.stem for path in SCRIPTS.glob('*.py')} == set(cli.COMMANDS)


@pytest.mark.parametrize('line', [['trian'], ['--trian'], ['--option', 'train'], []])
def test_what_is_no_command_is_refused(command, line):
    done = command(*line)
    assert done.status == 2
    assert 'error: ' in done.err


@pytest.mark.parametrize(
    'message, line',
    [
        ('no such key', 'no such key'),
        ('two are wrong:\n  a is 1\n\n  b is 2\n', 'two are wrong: a is 1; b is 2'),
        ('It failed.\r\nTry again.', 'It failed. Try again.'),
    ],
)
def test_a_message_of_several_lines_is_one_that_can_be_read(command, monkeypatch, message, line):
    def refuse(options):
        raise UserError(message)

    monkeypatch.setattr('rethink_det.cli.doctor.run', refuse)
    done = command('doctor')
    assert (done.status, done.err) == (2, f'error: {line}\n')
