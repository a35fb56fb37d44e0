"""Prune-C without the fine-tuning: asked for aloud, and said wherever the result is."""

import pytest

from rethink_det.architecture import Cut
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.classification.arm_config import classifier_architecture
from rethink_det.report import StudyResults
from rethink_det.training.config import load_config
from tests.checkpoints import checkpoint


@pytest.fixture
def folder(write_configs, tmp_path):
    """Configs of a small detector, and its backbone's classifier as pruning leaves it."""
    folder = write_configs(tmp_path)
    whole = classifier_architecture(load_config(folder / 'classifier.py'))
    cut = whole.after(Cut(channels={'layer1.0.conv1': (0, 2, 5)}))
    state = cut.inherit(whole.build_network().state_dict())
    checkpoint(state, cut, arm='pruned', parent_arm='unpruned').write(folder / 'pruned.pth')
    return folder


@pytest.mark.slow
def test_log_and_checkpoint_say_that_it_was_not_fine_tuned(folder, command):
    work = folder / 'work'
    done = command(
        'train', folder / 'detector.py', '--backbone', folder / 'pruned.pth', '--arm', 'prune-c',
        '--arm-settings', 'untuned=True', '--work-dir', work,
    )  # fmt: skip
    assert done.status == 0, done
    provenance = Checkpoint.read(work / 'epoch_1.pth').provenance
    assert (provenance.arm, provenance.parent.arm) == ('prune-c', 'pruned')
    (log,) = work.rglob('*.log')
    assert 'pruned.pth is pruned and not fine-tuned' in log.read_text()
    # Its statistics are those of the uncut network, so none are kept and no stage is frozen.
    config = load_config(next(work.glob('*.py')))
    assert (config.model.backbone.frozen_stages, config.model.backbone.norm_eval) == (-1, False)


STUDY = """
study = dict(
    seeds=[0],
    classification=dict(
        config='classifier.py', pruner=dict(type='L1NormPruner', ratios=0.5), arms=['unpruned'],
    ),
    detection=[dict(config='detector.py', arms=['prune-c'], untuned=True)],
)
"""


@pytest.mark.slow
def test_a_study_of_it_says_so_in_its_report(write_configs, command, tmp_path):
    folder = write_configs(tmp_path, classifier_epochs=1)
    (folder / 'study.py').write_text(STUDY)
    done = command('study', folder / 'study.py', '--work-dir', folder / 'work')
    assert done.status == 0, done
    results = StudyResults.read(folder / 'work')
    (run,) = [run for run in results.runs if run.stage == 'detection']
    parent = next(run for run in results.runs if run.stage == 'classification')
    assert (run.arm, run.transferred.parent_arm) == ('prune-c', 'pruned')
    # What it cost: nothing but the parent and the detector.
    assert run.total_train_macs == run.train_macs + parent.total_train_macs
    note = 'Pruned and not fine-tuned before the transfer: prune-c.'
    assert note in (folder / 'work' / 'report.md').read_text()
    assert note in (folder / 'work' / 'report.html').read_text()
