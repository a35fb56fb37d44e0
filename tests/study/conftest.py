"""Studies for the tests of this room: small ones of all kinds, and one of the version before."""

import shutil
import tarfile
from pathlib import Path

import pytest

from rethink_det.report import RunResult
from rethink_det.study.config import Study
from rethink_det.study.graph import runs_of
from rethink_det.study.stages import stage_of

NET = 'train_cfg = dict(max_epochs=1)\ntrain_dataloader = dict(batch_size=2, num_workers=0)\n'
PRUNER = dict(type='L1NormPruner', ratios=0.5)
LEGACY = Path(__file__).parent / 'legacy'


@pytest.fixture
def older_study(tmp_path, monkeypatch):
    """A folder with ``study.py`` and its ``work``; the data are drawn below the current folder."""
    for config in LEGACY.glob('*.py'):
        shutil.copy(config, tmp_path)
    with tarfile.open(LEGACY / 'work.tar.xz') as archive:
        archive.extractall(tmp_path, filter='data')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def load(tmp_path):
    """Reads a study of these parts; ``net.py`` and ``det.py`` exist beside it."""
    for name in ('net.py', 'det.py'):
        (tmp_path / name).write_text(NET)

    def load(options=None, detection=(), text=None, **parts):
        study = dict(
            seeds=parts.pop('seeds', [0, 1]),
            classification=dict(config='net.py', pruner=PRUNER) | parts.pop('classification', {}),
            detection=[dict(config='det.py') | plan for plan in detection],
            **parts,
        )
        path = tmp_path / 'mine.py'
        path.write_text(f'study = {study!r}' if text is None else text)
        return Study.load(path, options)

    return load


@pytest.fixture
def study(tiny_config, tmp_path):
    """Makes a study over the tiny classifier, which trains in a fraction of a second."""
    tiny_config(epochs=1).dump(tmp_path / 'net.py')

    def make(
        seeds=(0,),
        arms=('fine-tune', 'scratch-e'),
        pruner=PRUNER,
        parent=None,
        options=None,
        **settings,
    ):
        parts = dict(
            config='net.py',
            arms=list(arms),
            pruner=pruner,
            parent=parent,
            arm_settings=dict(fine_tune_epochs=1, **settings),
        )
        text = f'study = dict(seeds={list(seeds)}, classification={parts!r})'
        (tmp_path / 'study.py').write_text(text)
        return Study.load(tmp_path / 'study.py', options)

    return make


@pytest.fixture
def older_results(older_study):
    """What the runs of the study of the version before came to, by key."""
    root = older_study / 'work'
    results = [RunResult.read(path.parent, root) for path in root.rglob('result.json')]
    return {result.key: result for result in results}


@pytest.fixture
def older_stage(older_study, older_results):
    """Makes the stage of a run of that study, which follows on the results of before."""
    runs = {run.key: run for run in runs_of(Study.load(older_study / 'study.py'))}
    return lambda key: stage_of(runs[key], older_results)
