"""What docs/studies.md shows is what runs, from top to bottom."""

import re
import shlex
from inspect import signature
from pathlib import Path

import pytest
from mmengine import visualization
from mmengine.config import Config

from rethink_det.datasets.shapes import build_shapes

PAGE = (Path(__file__).resolve().parents[2] / 'docs' / 'studies.md').read_text()
BLOCKS = re.findall(r'```(\w+)\n(.*?)```', PAGE, re.DOTALL)
STUDY, VISUALIZER = (block for kind, block in BLOCKS if kind == 'python')
COMMANDS = [
    shlex.split(line)[1:] for kind, block in BLOCKS if kind == 'bash' for line in block.splitlines()
]
SMALL = """
for split in ('train', 'val', 'test'):
    study['classification'].setdefault('options', {{}}).update({{
        f'{{split}}_dataloader.dataset.data_root': {root!r},
        f'{{split}}_dataloader.dataset.crops': [160, 40],
        f'{{split}}_dataloader.dataset.images': [8, 4],
    }})
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the study of the page lies, on few images; and another with the same parent."""
    monkeypatch.chdir(tmp_path)
    root = build_shapes(tmp_path / 'shapes', crops=(160, 40), images=(8, 4))
    text = STUDY + SMALL.format(root=str(root))
    (tmp_path / 'mine.py').write_text(text)
    (tmp_path / 'other.py').write_text(text.replace('ratios=0.5', 'ratios=0.25'))
    return tmp_path


def test_there_is_something_to_run():
    words = {command[1] for command in COMMANDS}
    assert words == {'mine.py', 'other.py', 'status', 'why', 'verify', 'clean'}
    assert all(command[0] == 'study' for command in COMMANDS)


def test_the_visualizer_is_made_of_what_mmengine_has():
    shown = Config.fromstring(VISUALIZER, '.py').visualizer
    assert len(shown.vis_backends) == 4
    for backend in shown.vis_backends:
        parameters = signature(getattr(visualization, backend.type)).parameters
        assert {*backend} - {'type'} <= {*parameters}


def test_the_plan_is_shown_before_anything_is_there(folder, command):
    done = command(*COMMANDS[0])
    assert done.status == 0 and 'mine: 8 runs' in done.out
    assert 'To train: at most' in done.out and not (folder / 'work').exists()


def test_what_has_not_been_started_is_refused(folder, refusal):
    for line in COMMANDS:
        if line[1] in ('status', 'why', 'verify', 'clean'):
            assert 'no folder of a study' in refusal(*line)


@pytest.mark.slow
def test_the_page_runs_from_top_to_bottom(folder, command):
    told = {}
    for line in COMMANDS:
        done = told[' '.join(line)] = command(*line)
        assert done.status == 0, (line, done)
    assert '8 done; nothing is left to do' in told['study status work'].out
    assert 'is done, and would be taken' in next(
        done.out for line, done in told.items() if line.startswith('study why')
    )
    other = next(done for line, done in told.items() if 'other.py' in line)
    assert other.err.count('done by another study') == 2
    assert '8 finished runs as left; 0 wrong' in told['study verify work'].out
    assert 'a checkpoint beside the one' in told['study clean work'].out
    assert 'nothing to remove' in command('study', 'clean', 'work').out
