"""Prune-D: a detector is trained, its backbone pruned, it is trained on; and its controls."""

import json
import shutil

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import digest, load_checkpoint
from rethink_det.architecture.provenance import Provenance
from rethink_det.report import StudyResults

STUDY = """
study = dict(
    seeds=[0],
    classification=dict(
        config='classifier.py',
        pruner=dict(type='L1NormPruner', ratios=0.5),
        arms=['unpruned'],
    ),
    detection=[dict(config='detector.py', arms=['unpruned-d', 'prune-d', 'scratch-d'])],
)
"""
pytestmark = pytest.mark.slow
HALF = ('--pruner', 'L1NormPruner', '--pruner-options', 'ratios=0.5')


@pytest.fixture(scope='module')
def folder(write_configs, tmp_path_factory):
    folder = write_configs(tmp_path_factory.mktemp('prune_d'), classifier_epochs=1)
    (folder / 'study.py').write_text(STUDY)
    return folder


@pytest.fixture(scope='module')
def study(folder, command):
    """The work folder of the finished study, by ``rethink-det study``."""
    done = command('study', folder / 'study.py', '--work-dir', folder / 'work')
    assert done.status == 0, done
    return folder / 'work'


@pytest.fixture(scope='module')
def trained(study):
    """The checkpoint of the detector that was trained with the whole backbone."""
    return next(study.glob('runs/detection/detector/unpruned/seed0-*/epoch_1.pth'))


def results(work):
    found = [json.loads(path.read_text()) for path in work.rglob('result.json')]
    return {result['key']: result for result in found}


@pytest.mark.slow
def test_the_study_trains_prunes_and_trains_on(study):
    found = results(study)
    assert set(found) == {
        'classification/classifier/unpruned/seed0',
        'detection/detector/unpruned/seed0',
        'detector-pruning/detector/pruned/seed0',
        'detection/detector/prune-d/seed0',
        'detection/detector/unpruned-d/seed0',
        'detection/detector/scratch-d/seed0',
    }
    whole, cut = (
        found['detection/detector/unpruned/seed0'],
        found['detection/detector/prune-d/seed0'],
    )
    assert cut['params'] < whole['params'] and cut['macs'] < whole['macs']
    # What the arm cost: its own training, and all that led to the detector it was cut from.
    assert cut['total_train_macs'] == cut['train_macs'] + whole['total_train_macs']
    shown = StudyResults.read(study).runs
    arms = [(run.arm, run.status) for run in shown if run.stage == 'detection']
    assert arms == [
        (arm, 'completed') for arm in ('unpruned', 'unpruned-d', 'prune-d', 'scratch-d')
    ]
    assert 'prune-d' in (study / 'report.md').read_text()


@pytest.mark.slow
def test_the_controls_had_the_same_chance(study):
    found = results(study)
    runs = {key.split('/')[2]: run for key, run in found.items() if key.startswith('detection/')}
    # Both go on from the same trained detector, one of them uncut.
    assert runs['unpruned-d']['transferred']['parent_digest'] == runs['unpruned']['digest']
    assert (
        runs['unpruned-d']['macs'] == runs['unpruned']['macs'] and runs['unpruned-d']['epochs'] == 1
    )
    # Drawn anew, in the shape of the pruned one, for all that its two trainings took.
    drawn, cut = runs['scratch-d'], runs['prune-d']
    assert 'parent_digest' not in drawn['transferred'] and drawn['macs'] == cut['macs']
    both = runs['unpruned']['train_macs'] + cut['train_macs']
    assert abs(drawn['train_macs'] - both) * 2 <= drawn['train_macs'] / drawn['epochs']
    page = (study / 'report.md').read_text()
    assert 'unpruned-d' in page and 'Scratch-D reached' in page


@pytest.mark.slow
def test_it_goes_on_from_the_detectors_weights(study):
    folder = next(study.glob('runs/detection/detector/prune-d/seed0-*'))
    pruned = load_checkpoint(next(study.glob('runs/detector-pruning/*/*/*/pruned.pth')))
    proof = load_checkpoint(folder / 'epoch_1.pth')['meta']['provenance']
    assert (proof['arm'], proof['tensors']) == ('prune-d', len(pruned['state_dict']))
    assert proof['parent_digest'] == digest(pruned['state_dict'])
    told = results(study)['detection/detector/prune-d/seed0']['transferred']
    assert told == {key: proof[key] for key in ('tensors', 'parent_digest', 'parent_arm')}
    assert (proof['parent_arm'], proof['parent']) == ('pruned', 'pruned.pth')
    assert proof['parent_digest'] in (study / 'report.html').read_text()
    # No statistics are its own yet, so none are kept and no stage is frozen.
    backbone = (folder / 'config.py').read_text()
    assert 'frozen_stages=-1' in backbone and 'norm_eval=False' in backbone


@pytest.mark.slow
def test_every_checkpoint_says_where_it_comes_from(study):
    """Those of classifiers are looked at in :mod:`tests.end_to_end.test_provenance`."""
    files = {
        'detection/detector/unpruned': ('epoch_1.pth', 'unpruned', 'unpruned'),
        'detector-pruning/detector/pruned': ('pruned.pth', 'pruned', 'unpruned'),
        'detection/detector/prune-d': ('epoch_1.pth', 'prune-d', 'pruned'),
    }
    for run, (file, arm, parent_arm) in files.items():
        path = next((study / 'runs').glob(f'{run}/seed0-*/{file}'))
        entry = load_checkpoint(path)['meta']['provenance']
        unsaid = {key for key, value in entry.items() if value is None}
        assert unsaid == ({'inferred'} if arm == 'pruned' else {'inferred', 'pruner'})
        assert set(entry) == set(Provenance.unknown().to_dict())
        assert (entry['arm'], entry['parent_arm'], entry['seed']) == (arm, parent_arm, 0)


@pytest.mark.slow
def test_a_finished_study_is_not_done_again_even_elsewhere(study, folder, command, tmp_path):
    moved = tmp_path / 'moved'
    shutil.copytree(study, moved)
    times = {path: path.stat().st_mtime_ns for path in moved.rglob('*.pth')}
    done = command('study', folder / 'study.py', '--work-dir', moved)
    assert done.status == 0, done
    assert {path: path.stat().st_mtime_ns for path in moved.rglob('*.pth')} == times


@pytest.mark.slow
def test_the_commands_do_what_the_study_does(study, trained, folder, command, tmp_path):
    config, pruned = trained.parent / 'config.py', tmp_path / 'pruned.pth'
    done = command('prune', config, trained, *HALF, '-o', pruned)
    assert done.status == 0, done
    for part in ('params: ', 'macs: ', 'coco/bbox_mAP: ', ' -> ', f'wrote {pruned}'):
        assert part in done.out, part
    ours = load_checkpoint(pruned)['state_dict']
    theirs = load_checkpoint(next(study.glob('runs/detector-pruning/*/*/*/pruned.pth')))
    assert digest(ours) == digest(theirs['state_dict'])

    done = command(
        'train', folder / 'detector.py', '--backbone', pruned, '--arm', 'prune-d',
        '--work-dir', tmp_path / 'work',
    )  # fmt: skip
    assert done.status == 0, done
    by_command = load_checkpoint(tmp_path / 'work' / 'epoch_1.pth')['state_dict']
    by_study = next(study.glob('runs/detection/detector/prune-d/seed0-*/epoch_1.pth'))
    by_study = load_checkpoint(by_study)['state_dict']
    assert all(torch.equal(by_command[name], tensor) for name, tensor in by_study.items())
    assert PrunedArchitecture.load(pruned).kept('layer1.0.conv1') == 4


@pytest.mark.parametrize(
    'arm, source, message',
    [
        ('prune-d', 'classifier', 'is of a classifier, and arm prune-d goes on from a whole'),
        ('prune-c', 'detector', 'is of a detector, and arm prune-c takes the backbone of a class'),
        (
            'prune-d',
            'resnet34-a',
            'no weights: arm prune-d needs the checkpoint of a detector',
        ),
    ],
)
def test_weights_of_the_wrong_kind_are_refused(
    study, trained, folder, command, tmp_path, arm, source, message
):
    classifier = next(study.glob('runs/classification/*/unpruned/seed0-*/epoch_1.pth'))
    source = {'classifier': classifier, 'detector': trained}.get(source, source)
    done = command(
        'train', folder / 'detector.py', '--backbone', source, '--arm', arm,
        '--work-dir', tmp_path / 'work',
    )  # fmt: skip
    assert done.status == 2
    assert message in done.err
    assert not (tmp_path / 'work').exists()


def test_missing_images_are_named_before_anything_is_pruned(trained, command, tmp_path):
    config, out = trained.parent / 'config.py', tmp_path / 'pruned.pth'
    done = command(
        'prune', config, trained, '--pruner', 'ThiNetPruner', '--pruner-options', 'ratios=0.5',
        '-o', out, '--cfg-options', 'train_dataloader.dataset.type=mmdet.CocoDataset',
        'train_dataloader.dataset.data_root=nowhere/',
    )  # fmt: skip
    assert done.status == 2
    assert done.err.startswith('error: nowhere/annotations') and 'does not exist' in done.err
    assert not out.exists()


def test_detectors_have_no_lottery(trained, command, tmp_path):
    config, out = trained.parent / 'config.py', tmp_path / 'pruned.pth'
    done = command('prune', config, trained, *HALF, '--initial', trained, '-o', out)
    assert done.status == 2
    assert '--initial is for classifiers' in done.err
    assert not out.exists()
