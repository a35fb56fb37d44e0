"""Whatever happens to a file of a finished study is noticed, mended, and ends in the same numbers.

A file is cut, emptied, one bit of it flipped, taken from another seed, or gone; of a text a number
is another. Then ``study verify`` names it, and the study does that run again, or what lies in the
file is not needed: nothing else changes, and nothing is a traceback.
"""

import random
import re
import shutil
from pathlib import Path

import pytest

from rethink_det.architecture import Checkpoint, PrunedArchitecture
from rethink_det.errors import UserError
from rethink_det.report import RunResult
from rethink_det.report.verification import verify
from rethink_det.study.config import Study
from rethink_det.study.execute import execute_study
from rethink_det.study.recipe import Recipe
from tests.study.conftest import PRUNER

FILES = 'result.json', 'recipe.json', 'config.py', 'architecture.json', '*.pth', 'replicates.json'
WAYS = 'cut', 'empty', 'flipped', 'swapped', 'gone', 'edited'
RUNS = 'unpruned', 'pruned', 'fine-tune'
QUICK = {
    ('unpruned', '*.pth', 'flipped'),
    ('pruned', '*.pth', 'swapped'),
    ('fine-tune', 'result.json', 'edited'),
    ('unpruned', 'architecture.json', 'cut'),
}
CASES = [
    pytest.param(run, file, way, marks=() if (run, file, way) in QUICK else pytest.mark.slow)
    for run in RUNS
    for file in FILES
    for way in WAYS
]


@pytest.fixture(scope='module')
def finished(tiny_config_in, tmp_path_factory):
    """The folder of a study of two seeds, which is done: ``study.py`` and ``work``."""
    folder = tmp_path_factory.mktemp('torn')
    tiny_config_in(folder, epochs=1).dump(folder / 'net.py')
    parts = dict(config='net.py', arms=['fine-tune'], pruner=PRUNER)
    parts['arm_settings'] = dict(fine_tune_epochs=1)
    (folder / 'study.py').write_text(f'study = dict(seeds=[0, 1], classification={parts!r})')
    execute_study(Study.load(folder / 'study.py'), folder / 'work')
    return folder


def place(work, run, pattern, seed=0):
    """A file of a run; None if it has none of that name."""
    found = sorted(work.glob(f'runs/*/net/{run}/seed{seed}-*/{pattern}'))
    return found[-1] if found else None


def damage(path: Path, other: Path, way: str, seed: str) -> bool:
    """Do it; whether the file is another now."""
    drawn, before = random.Random(seed), path.read_bytes()
    after = bytearray(before)
    if way == 'gone':
        path.unlink()
        return True
    if way == 'cut':
        after = after[: drawn.randrange(1, len(after))]
    elif way == 'empty':
        after = bytearray()
    elif way == 'flipped':
        after[drawn.randrange(len(after))] ^= 1 << drawn.randrange(8)
    elif way == 'swapped':
        after = bytearray(other.read_bytes())
    else:
        one = drawn.choice(list(re.finditer(rb'[1-9]', before))).start()
        after[one] = ord('1') + (before[one] - ord('0')) % 9
    path.write_bytes(bytes(after))
    return bytes(after) != before


def told(work):
    """All that counts of each run: its numbers, its weights."""
    found = [RunResult.read(path.parent, work) for path in sorted(work.rglob('result.json'))
             if not path.parent.name.startswith('changed')]  # fmt: skip
    return {run.key: (run.metrics, run.digest, run.identity, run.replicates) for run in found}


@pytest.mark.parametrize('run, file, way', CASES)
def test_it_is_noticed_and_done_again(finished, tmp_path, capsys, run, file, way):
    work = Path(shutil.copytree(finished / 'work', tmp_path / 'work'))
    path, other = (place(work, run, file, seed) for seed in (0, 1))
    if path is None:
        assert (run, file) == ('pruned', 'replicates.json')
        return
    if not damage(path, other, way, f'{run} {file} {way}'):
        assert file in ('architecture.json', 'config.py')  # seeds of one shape
        return
    found = verify(work)
    broken_off = file == 'result.json' and way == 'gone'
    named = [*found.wrong, *(found.unfinished if broken_off else [])]
    assert any(path.parent.relative_to(work).as_posix() in line for line in named), found
    before = told(finished / 'work')
    results = execute_study(Study.load(finished / 'study.py'), work)
    said = capsys.readouterr().err
    assert not results.incomplete and 'Traceback' not in said
    assert broken_off or 'done again: ' in said
    assert told(work) == before
    assert verify(work).wrong == []


@pytest.mark.parametrize('way', ['cut', 'empty'])
def test_every_reader_refuses_a_torn_file(finished, tmp_path, way):
    work = Path(shutil.copytree(finished / 'work', tmp_path / 'work'))
    torn = {name: place(work, 'pruned', name) for name in FILES if place(work, 'pruned', name)}
    for name, path in torn.items():
        damage(path, path, way, name)
    folder = torn['result.json'].parent
    with pytest.raises(UserError, match=r'result\.json'):
        RunResult.read(folder, work)
    with pytest.raises(UserError, match=r'recipe\.json'):
        Recipe.read(folder)
    with pytest.raises(UserError, match=r'architecture\.json'):
        PrunedArchitecture.load(torn['architecture.json'])
    with pytest.raises(UserError, match=r'\.pth'):
        Checkpoint.read(torn['*.pth'])


@pytest.mark.parametrize('run', [pytest.param(run, marks=pytest.mark.slow) for run in RUNS])
def test_the_whole_folder_of_another_seed_is_not_taken_for_its_own(finished, tmp_path, capsys, run):
    work = Path(shutil.copytree(finished / 'work', tmp_path / 'work'))
    own, other = (place(work, run, 'result.json', seed).parent for seed in (0, 1))
    shutil.rmtree(own)
    shutil.copytree(other, own)
    assert f'{own.relative_to(work)} holds the result of another run' in verify(work).wrong
    results = execute_study(Study.load(finished / 'study.py'), work)
    assert not results.incomplete and told(work) == told(finished / 'work')
    assert 'done again: ' in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize('way', ['cut', 'empty', 'flipped', 'edited'])
def test_what_the_study_itself_wrote_is_written_anew(finished, tmp_path, way):
    work = Path(shutil.copytree(finished / 'work', tmp_path / 'work'))
    assert damage(work / 'results.json', work / 'results.json', way, way)
    results = execute_study(Study.load(finished / 'study.py'), work)
    assert not results.incomplete and verify(work).wrong == []
