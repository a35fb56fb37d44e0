"""A study of detectors alone, on real photos: a given classifier, and no classification data."""

import json

import pytest

from rethink_det.report import StudyResults

ARMS = ['unpruned-d', 'prune-d', 'scratch-d']


@pytest.fixture(scope='module')
def given(write_configs, tmp_path_factory, command):
    """A classifier of shapes that was trained elsewhere."""
    folder = write_configs(tmp_path_factory.mktemp('given'), classifier_epochs=1)
    config = (folder / 'classifier.py').read_text().replace('base_channels=8', 'base_channels=16')
    (folder / 'classifier.py').write_text(config)
    done = command('train', folder / 'classifier.py', '--work-dir', folder / 'trained')
    assert done.status == 0, done
    return folder / 'trained' / 'epoch_1.pth'


@pytest.mark.slow
def test_raccoons_from_a_classifier_of_shapes(given, shared, command, tmp_path, monkeypatch):
    root = shared / 'data' / 'raccoon'
    if not root.is_dir():
        pytest.skip(f'no raccoons at {root}')
    monkeypatch.chdir(tmp_path)
    done = command(
        'study', 'raccoon', '--work-dir', 'work', '--seeds', '0', '--cfg-options',
        f'study.classification.parent={given}', f'study.detection.0.data_root={root}',
        'study.detection.0.epochs=1',
    )  # fmt: skip
    assert done.status == 0, done
    results = StudyResults.read('work')
    assert not results.incomplete
    assert {run.arm for run in results.runs if run.stage == 'detection'} == {'unpruned', *ARMS}
    (parent,) = [run for run in results.runs if run.stage == 'classification']
    assert parent.metrics == {} and parent.parent_given
    against = {v.comparison.arm: v.comparison.baseline for v in results.verdicts}
    assert (against['scratch-d'], against['unpruned-d']) == ('prune-d', 'prune-d')
    (said,) = results.conclusions
    assert 'Scratch-D reached' in said.sentence and 'Unpruned-D reached' in said.sentence
    text = (tmp_path / 'work' / 'report.md').read_text()
    assert 'No classification score was measured' in text and '## Classification' not in text
    found = [json.loads(p.read_text()) for p in tmp_path.glob('work/runs/**/result.json')]
    assert not [one['key'] for one in found if one['stage'] == 'pruning']  # nothing asked for it


def test_what_needs_classification_data_is_refused_by_a_dry_run(given, command):
    told = f'study.classification.parent={given}'
    asks = 'study.detection.0.arms=[prune-c]'
    done = command('study', 'raccoon', '--dry-run', '--cfg-options', told, asks)
    assert done.status == 2 and 'prune-c needs the classification arm fine-tune' in done.err
    assert 'untuned=True' in done.err
