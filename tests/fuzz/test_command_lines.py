"""Whatever stands on a command line: it works, or a line says what is wrong."""

import os
from itertools import islice

import pytest
import torch

from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.cli import benchmark, check, study, train
from tests.fuzz.generators import STUDY, command_lines

WHOLE, SAMPLE = 600, 24


class Started(BaseException):
    """A command was right, and would work for long."""


@pytest.fixture
def nothing_trains(monkeypatch):
    """Training and measuring end as they begin."""

    def started(*arguments, **settings):
        raise Started

    for module, name in ((train, 'train'), (check, 'rehearse'), (study, 'execute_study')):
        monkeypatch.setattr(module, name, started)
    monkeypatch.setattr(benchmark, '_BENCHMARKS', dict.fromkeys(benchmark._BENCHMARKS, started))


@pytest.fixture
def files(tiny_config, cifar, tmp_path, monkeypatch):
    """Right files and wrong ones in the current folder, by their names."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    config, architecture = tiny_config(epochs=1), cifar()
    for name in ('net.py', 'det.py'):
        config.dump(name)
    (tmp_path / 'study.py').write_text(f'study = {STUDY!r}\n')
    architecture.save('arch.json')
    state = architecture.build_network().state_dict()
    save_checkpoint(
        {'meta': {'architecture': architecture.to_dict()}, 'state_dict': state}, 'a.pth'
    )
    for name, content in {
        'text.txt': b'no weights', 'empty.json': b'', 'list.json': b'[1]', 'b.pth': b'PK\3\4\0x',
        'broken.py': b'model = (', 'other.py': b'model = 3\nstudy = [1]\n',
        'deep.json': b'[' * 9999,
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(content)
    (tmp_path / 'folder').mkdir()
    return [*os.listdir(), 'net.py/x', 'folder/new.json', 'gone.pth', 'new.json']


RIGHT = {
    'config': ['net.py'], 'study': ['study.py'], 'checkpoint': ['a.pth'],
    'pruner': ['L1NormPruner'],
    'architecture': ['arch.json', 'resnet34-a'], 'work_dir': ['work'],
}  # fmt: skip


@pytest.mark.parametrize('count', [SAMPLE, pytest.param(WHOLE, marks=pytest.mark.slow)])
def test_a_command_line_works_or_is_refused_in_a_line(count, files, command, nothing_trains):
    lines = command_lines(16, WHOLE, files, RIGHT)
    told = [_told(command, line) for line in islice(lines, 0, None, WHOLE // count)]
    assert len(told) == count
    if wrong := [f'{one}' for one in told if one]:
        pytest.fail('\n'.join(wrong))


def _told(command, line):
    """What is wrong with the end of a command; nothing if it worked or was refused."""
    try:
        done = command(*line)
    except Started:
        return None
    except BaseException as error:
        return line, repr(error)
    last = done.err.splitlines()[-1:] or ['']
    well = done.status in (0, 1) or (done.status == 2 and 'error: ' in last[0])
    return None if well and 'Traceback' not in done.err else (line, done)
