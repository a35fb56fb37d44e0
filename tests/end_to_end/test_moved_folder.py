"""A training's folder is all that it needs: moved, with what it was made from gone, it works."""

import shutil
from pathlib import Path

import pytest
import torch

from rethink_det import Checkpoint, PrunedArchitecture, UserError, load_config, with_backbone
from rethink_det.training.launch import train
from tests.tiny_detector import write_mask_rcnn

KILL = dict(type='rethink_det.KillHook', iteration=4)  # in the second of three epochs


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Moves the folder of a training; whoever starts a command stands in another one."""
    monkeypatch.chdir(tmp_path)

    def move(work_dir, *gone):
        for place in gone:
            place.unlink()
        folder = tmp_path / 'sent' / 'by-post'
        folder.parent.mkdir()
        shutil.move(work_dir, folder)
        (tmp_path / 'desk').mkdir()
        monkeypatch.chdir(tmp_path / 'desk')
        return folder

    return move


@pytest.fixture
def pruned(tiny_config, tmp_path, command):
    """Writes a pruned checkpoint of the tiny classifier."""

    def prune(pruner):
        config = tiny_config('parent', epochs=1)
        train(config)
        config.dump(tmp_path / 'net.py')
        out = tmp_path / 'pruned.pth'
        done = command(
            'prune', tmp_path / 'net.py', tmp_path / 'parent/epoch_1.pth', '--pruner', pruner,
            '--pruner-options', 'ratios=0.5' if pruner == 'L1NormPruner' else 'ratio=0.5',
            '-o', out,
        )  # fmt: skip
        assert done.status == 0, done.err
        return out

    return prune


def broken_off(config):
    config.custom_hooks = [*config.custom_hooks, KILL]
    with pytest.raises(KeyboardInterrupt):
        train(config)


def metrics(text):
    return [line for line in text.splitlines() if line.startswith('accuracy/')]


@pytest.mark.parametrize('pruner', ['L1NormPruner', 'MagnitudePruner'])
@pytest.mark.parametrize('arm', ['fine-tune', 'scratch-e'])
def test_a_classifiers_training_goes_on_in_another_folder(
    pruner, arm, pruned, elsewhere, command, tmp_path
):
    source = pruned(pruner)
    settings = dict(fine_tune_epochs=3)

    def config(work_dir):
        base = load_config(tmp_path / 'net.py', {'train_cfg.max_epochs': 3})
        one = with_backbone(base, source, arm, settings).config
        one.work_dir, one.randomness = str(tmp_path / work_dir), dict(seed=3)
        return one

    train(config('unbroken'))
    broken_off(config('broken'))
    folder = elsewhere(tmp_path / 'broken', source, tmp_path / 'parent/epoch_1.pth')
    written = (folder / 'net.py').read_text()
    assert str(source) in written or arm != 'fine-tune'  # where the weights came from is told
    (folder / 'net.py').write_text(written.replace('iteration=4', 'iteration=999'))
    resumed = command('train', folder / 'net.py', '--resume')
    assert resumed.status == 0, resumed.err
    assert Path(tmp_path / 'broken').exists() is False
    one, other = (Checkpoint.read(f / 'epoch_3.pth') for f in (folder, tmp_path / 'unbroken'))
    assert one.digest == other.digest
    assert one.architecture == other.architecture
    assert one.provenance.parent == other.provenance.parent
    assert one.masks.keys() == other.masks.keys()

    tested = command('test', folder / 'net.py', folder / 'epoch_3.pth')
    assert metrics(tested.out) == metrics(resumed.out) != []


def test_weights_that_are_gone_are_missed_by_a_run_from_the_start(
    pruned, elsewhere, refusal, tmp_path
):
    source = pruned('L1NormPruner')
    config = with_backbone(load_config(tmp_path / 'net.py'), source, 'fine-tune').config
    config.work_dir = str(tmp_path / 'broken')
    broken_off(config)
    folder = elsewhere(tmp_path / 'broken', source)
    message = refusal('train', folder / 'net.py', '--work-dir', tmp_path / 'new')
    assert str(source) in message
    with pytest.raises(UserError, match='pruned.pth'):
        load_and_train(folder / 'net.py', tmp_path / 'newer')


def load_and_train(path, work_dir):
    config = load_config(path)
    config.work_dir = str(work_dir)
    return train(config)


@pytest.mark.slow
def test_a_detectors_training_goes_on_in_another_folder(elsewhere, command, tmp_path):
    base, trained = write_mask_rcnn(tmp_path)
    base.model.backbone = dict(
        type='ResNet',
        depth=18,
        base_channels=16,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        norm_cfg=dict(type='BN'),
    )
    shape = tmp_path / 'shape.json'
    PrunedArchitecture.load(trained).save(shape)
    for split in ('val', 'test'):
        labels = f'{tmp_path}/shapes/annotations/instances_val.json'
        base[f'{split}_evaluator'].ann_file = labels
    config = with_backbone(base, shape, 'random').config
    config.dump(tmp_path / 'mask.py')
    config = load_config(tmp_path / 'mask.py')
    config.work_dir = str(tmp_path / 'work')
    config.train_cfg.max_epochs = 1
    train(config)
    folder = elsewhere(tmp_path / 'work', shape)
    checkpoint = folder / 'epoch_1.pth'
    tested = command('test', folder / 'mask.py', checkpoint, '--out', 'metrics.json')
    assert tested.status == 0, tested.err
    longer = command(
        'train', folder / 'mask.py', '--resume', '--cfg-options', 'train_cfg.max_epochs=2'
    )
    assert longer.status == 0, longer.err
    assert (folder / 'epoch_2.pth').is_file()
    photo = next(p for p in (tmp_path / 'shapes').rglob('*') if p.suffix in ('.png', '.jpg'))
    for line in (
        ('predict', folder, photo, '--out', 'pictures'),
        ('export', folder / 'mask.py', folder / 'epoch_2.pth', '--torch', '-o', 'model.ts',
         '--input-shape', 3, 64, 64),
        ('pack', folder, '-o', 'model.zip'),
        ('card', folder / 'epoch_2.pth'),
    ):  # fmt: skip
        done = command(*line)
        assert done.status == 0, (line, done.err)
    assert torch.load(folder / 'epoch_2.pth', weights_only=True)['meta']['epoch'] == 2
