"""An arm that a user adds, in a module of their own, is an arm like the others everywhere."""

import re
import sys

import pytest
from mmengine.config import Config

from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.errors import UserError
from rethink_det.report.results import StudyResults
from rethink_det.study.config import Study
from rethink_det.study.graph import runs_of
from rethink_det.training.resumable import last_checkpoint

MODULE = """
from rethink_det.arms import ARMS, CLASSIFICATION, DETECTION, Arm, BudgetRule, Role, Start

ARMS.register(Arm(
    'scratch-x', CLASSIFICATION, 'Scratch-X', 'weights drawn anew, for a test', pruned=True,
    start=Start.RANDOM, budget=BudgetRule.STRETCHED, role=Role.CANDIDATE,
))
ARMS.register(Arm(
    'transfer-x', DETECTION, 'Transfer-X', 'backbone of scratch-x', pruned=True,
    start=Start.CLASSIFIER, budget=BudgetRule.BASE, role=Role.CANDIDATE, source='scratch-x',
))
"""
STUDY = """
study = dict(
    seeds=[0, 1],
    classification=dict(
        config='net.py', pruner=dict(type='L1NormPruner', ratios=0.5), arms=['{arms}'],
        arm_settings=dict(fine_tune_epochs=1),
    ),
)
"""


@pytest.fixture
def own(tmp_path, monkeypatch, tiny_config):
    """A module that registers two arms, and a config that imports it; a folder with both."""
    (tmp_path / 'own_arms.py').write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    imports = dict(imports=['own_arms'])
    tiny_config(epochs=3, custom_imports=imports).dump(tmp_path / 'net.py')
    (tmp_path / 'det.py').write_text('train_cfg = dict(max_epochs=1)\n')
    yield tmp_path
    for stage, name in ((DETECTION, 'transfer-x'), (CLASSIFICATION, 'scratch-x')):
        if name in ARMS.names(stage):
            ARMS.remove(stage, name)
    sys.modules.pop('own_arms', None)


def study(folder, arms, detection=''):
    text = STUDY.replace('{arms}', "', '".join(arms))
    (folder / 'study.py').write_text(f'{text}{detection}')
    return folder / 'study.py'


@pytest.mark.slow
def test_a_study_trains_it_and_reports_it(own, command):
    work = own / 'work'
    done = command('study', study(own, ['fine-tune', 'scratch-e', 'scratch-x']), '--work-dir', work)
    assert done.status == 0, done.err
    results = StudyResults.read(work)
    by_arm = {run.arm: run for run in results.runs if run.seed == 1}
    assert by_arm['scratch-x'].epochs > by_arm['scratch-e'].epochs
    (said,) = results.conclusions
    assert 'Scratch-X reached' in said.sentence.split('fine-tuning')[0]  # equal compute: it leads
    assert '; Scratch-E reached' in said.sentence and 'Scratch-B' not in said.sentence
    rows = [line.split('|')[1].strip() for line in done.out.splitlines() if line[:1] == '|']
    table = ['unpruned', 'fine-tune', 'scratch-e', 'scratch-x']
    # The metric's, the network's cost, and what the trainings took.
    assert [row for row in rows if row in table] == 3 * table
    assert said.sentence in (work / 'report.html').read_text()


def test_a_detector_takes_its_classifier(own):
    detection = "\nstudy['detection'] = [dict(config='det.py', arms=['transfer-x'], seeds=[0])]\n"
    runs = {run.key: run for run in runs_of(Study.load(study(own, ['scratch-x'], detection)))}
    source = 'classification/net/scratch-x/seed0'
    assert runs['detection/det/transfer-x/seed0'].start.key == source
    with pytest.raises(UserError, match='transfer-x needs the classification arm scratch-x, which'):
        Study.load(study(own, ['fine-tune'], detection))


def test_the_command_line_explains_it_and_trains_it(own, command):
    shape, work = own / 'small.json', own / 'run'
    classifier_architecture(Config.fromfile(own / 'net.py')).save(shape)
    done = command(
        'train', own / 'net.py', '--backbone', shape, '--arm', 'scratch-x', '--work-dir', work
    )
    assert done.status == 0, done.err
    assert last_checkpoint(work).name == 'epoch_3.pth'
    text = command('train', '--help').out
    assert re.search(r'^  scratch-x +weights drawn anew, for a test$', text, re.MULTILINE)
    assert re.search(r'^  transfer-x +backbone of scratch-x$', text, re.MULTILINE)


def test_without_its_module_it_is_unknown(own, command, tiny_config):
    tiny_config(epochs=1).dump(own / 'net.py')
    done = command('study', study(own, ['scratch-x']), '--dry-run')
    assert done.status == 2
    assert "Unknown classification arm 'scratch-x'; known are unpruned, fine-tune" in done.err
