"""A command costs what it needs: nothing else is imported, and the list of all is free."""

import argparse
from importlib import import_module
from pathlib import Path

import pytest

from rethink_det import UserError, __version__, cli
from rethink_det.cli import benchmark as do_benchmark
from rethink_det.cli import sweep as do_sweep
from rethink_det.cli.arguments.benchmark import BENCHMARKS
from rethink_det.cli.arguments.sweep import SWEEPS
from rethink_det.cli.study_tools import TOOLS
from tests.fresh_process import fresh

MAIN = 'import sys; from rethink_det.cli import main; main(sys.argv[1:])'
HEAVY = {'torch', 'mmengine', 'mmdet', 'mmcv', 'cv2', 'numpy', 'matplotlib', 'scipy'}
LIBRARIES = {f'rethink_det.{room}' for room in ('architecture', 'study', 'export', 'benchmark')}
EVERY = (*cli.COMMANDS, *(f'study {word}' for word in TOOLS))
HELP_THEN_MISTAKE = """
import sys
from rethink_det.cli import main
for word, status in (('--help', 0), ('--no-such-option', 2)):
    try:
        main([*sys.argv[1:], word])
    except SystemExit as end:
        assert end.code == status
        print(word, 'is answered')
"""
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


def test_help_of_a_command_imports_its_arguments_alone():
    done = fresh(MAIN, 'report', '--help')
    assert cli.COMMANDS['report'] in ' '.join(done.out.split())
    commands = {module for module in done.modules if module.startswith('rethink_det.cli.')}
    words = 'rethink_det.cli.study_tools'  # the list of what else there is
    arguments = 'rethink_det.cli.arguments'
    assert commands - {words} == {arguments, f'{arguments}.report'}


def module_of(name):
    """Of a command: what it does by that name, what it may be told by the same in ``arguments``."""
    return name.replace('study ', 'study_tools.')


@pytest.mark.parametrize('name', EVERY)
def test_help_and_a_mistake_import_no_library(name):
    done = fresh(HELP_THEN_MISTAKE, *name.split())
    assert f'usage: rethink-det {name} ' in done.out
    assert '--help is answered\n--no-such-option is answered\n' in done.out
    assert not HEAVY & done.packages
    assert not [module for module in done.modules if module in LIBRARIES]


@pytest.mark.parametrize('name', EVERY)
def test_every_option_says_what_it_is_for(name):
    parser = argparse.ArgumentParser()
    import_module(f'rethink_det.cli.arguments.{module_of(name)}').add_arguments(parser)
    assert [action.dest for action in parser._actions if not action.help] == []


@pytest.mark.parametrize('name', EVERY)
def test_what_is_declared_is_what_is_done(name):
    done = import_module(f'rethink_det.cli.{module_of(name)}')
    assert callable(done.run)
    assert not hasattr(done, 'add_arguments'), 'an option that is declared here is never read'


def test_what_can_be_asked_for_is_what_there_is():
    assert list(do_benchmark._BENCHMARKS) == list(BENCHMARKS)
    assert list(do_sweep._SWEEPS) == list(SWEEPS)


def test_a_command_whose_arguments_are_not_declared_is_refused(monkeypatch):
    monkeypatch.setitem(cli.COMMANDS, 'sculpt', 'Carve.')
    with pytest.raises(ModuleNotFoundError, match='arguments.sculpt'):
        cli.main(['sculpt'])


def test_help_lists_every_command_with_what_it_does(command):
    done = command('--help')
    assert done.status == 0
    text = ''.join(done.out.split())  # argparse breaks lines, at hyphens too
    for name, summary in cli.COMMANDS.items():
        assert ''.join(f'{name} {summary}'.split()) in text


@pytest.mark.parametrize('name', cli.COMMANDS)
def test_summary_is_the_first_line_of_the_commands_own_words(name):
    arguments = import_module(f'rethink_det.cli.arguments.{name}')
    assert arguments.__doc__.splitlines()[0] == cli.COMMANDS[name]


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
