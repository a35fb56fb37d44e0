"""``train`` and ``test``: they do it, or refuse in one sentence and leave nothing behind."""

import json
from pathlib import Path

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.training.resumable import last_checkpoint


def left_behind(folder):
    """Checkpoints and the like in a work folder; logs are allowed."""
    return [
        path.name
        for path in folder.rglob('*')
        if path.suffix in ('.pth', '.json') or path.name == 'last_checkpoint'
    ]


def metrics(text):
    pairs = [line.split(': ') for line in text.splitlines() if line.startswith('accuracy/')]
    return {name: float(value) for name, value in pairs}


def test_train_then_test_agree(classifier, command, tmp_path):
    config, work = classifier(epochs=2), tmp_path / 'work'
    trained = command('train', config, '--work-dir', work)
    assert trained.status == 0
    assert 0 <= metrics(trained.out)['accuracy/top1'] <= 100
    checkpoint = torch.load(work / 'epoch_2.pth', weights_only=True)
    assert checkpoint['meta']['provenance']['seed'] == 1
    assert PrunedArchitecture.load(work / 'epoch_2.pth').backbone['depth'] == 8

    out = tmp_path / 'metrics.json'
    tested = command(
        'test', config, work / 'epoch_2.pth', '--work-dir', tmp_path / 'test', '--out', out
    )
    assert tested.status == 0
    assert metrics(tested.out) == metrics(trained.out) == json.loads(out.read_text())


def test_the_config_that_trained_it_is_taken_where_the_named_one_has_another_model(
    classifier, command, refusal, trained, tmp_path, monkeypatch
):
    """As after ``train CONFIG --backbone``, with the config that was given to it."""
    monkeypatch.chdir(tmp_path)
    config, small = classifier(), tmp_path / 'small.pth'
    options = ('--pruner', 'L1NormPruner', '--pruner-options', 'ratios=0.5', '--no-eval')
    assert command('prune', config, trained, *options, '-o', small).status == 0
    done = command(
        'train', config, '--backbone', small, '--arm', 'scratch-e', '--work-dir', 'work'
    )  # fmt: skip
    assert done.status == 0
    checkpoint = last_checkpoint('work')
    dumped = Path('work', config.name)
    before = dumped.read_text()
    tested = command('test', config, checkpoint)
    assert tested.status == 0 and metrics(tested.out) == metrics(done.out)
    assert f'another model than that of {config}: taken is {dumped}' in tested.out
    assert dumped.read_text() == before
    dumped.unlink()
    told = refusal('test', config, checkpoint)
    assert (
        'does not fit the config' in told
        and 'No config lies beside the checkpoint that it fits' in told
    )


def test_options_change_keys_and_the_work_dir_has_a_default(
    classifier, command, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    config = classifier(name='mine.py')
    config.write_text(config.read_text() + '\nwork_dir = None\n')
    done = command('train', config, '--cfg-options', 'train_cfg.max_epochs=1', 'randomness.seed=7')
    assert done.status == 0
    work = tmp_path / 'work_dirs' / 'mine'
    assert [path.name for path in work.glob('epoch_*.pth')] == ['epoch_1.pth']


def test_the_learning_rate_is_scaled_to_the_batch(classifier, command, refusal, tmp_path):
    config, scaled = classifier(), ('--auto-scale-lr', '--work-dir', tmp_path / 'scaled')
    assert 'auto_scale_lr.base_batch_size' in refusal('train', config, *scaled)
    done = command(
        'train', config, *scaled, '--cfg-options', 'auto_scale_lr.base_batch_size=80',
        'optim_wrapper.optimizer.lr=0.4', 'train_dataloader.batch_size=8',
    )  # fmt: skip
    assert done.status == 0
    (scalars,) = (tmp_path / 'scaled').rglob('scalars.json')
    rates = [json.loads(line).get('lr') for line in scalars.read_text().splitlines()]
    assert [rate for rate in rates if rate is not None][0] == pytest.approx(0.04)


def test_the_seed_of_the_command_line_is_that_of_the_run(classifier, command, tmp_path):
    work_dir = tmp_path / 'seven'
    done = command('train', classifier(), '--seed', 7, '--work-dir', work_dir)
    assert done.status == 0
    checkpoint = torch.load(next(work_dir.glob('epoch_*.pth')), weights_only=True)
    assert checkpoint['meta']['provenance']['seed'] == 7


def test_resume_without_a_checkpoint_starts_and_says_so(classifier, command, tmp_path):
    work = tmp_path / 'work'
    done = command('train', classifier(epochs=1), '--work-dir', work, '--resume')
    assert done.status == 0
    assert f'nothing to resume in {work}' in done.out


def test_bad_checkpoint_is_refused_by_resume(classifier, refusal, bad_checkpoint, tmp_path):
    work = tmp_path / 'work'
    message = refusal('train', classifier(), '--work-dir', work, '--resume', bad_checkpoint)
    assert str(bad_checkpoint) in message
    assert not work.exists()


def test_bad_last_checkpoint_is_refused_by_resume(classifier, refusal, bad_checkpoint, tmp_path):
    work = tmp_path / 'work'
    work.mkdir()
    own = work / 'epoch_1.pth'
    if bad_checkpoint.exists():
        bad_checkpoint.rename(own)
    else:  # a missing one is no last checkpoint
        own.write_bytes(b'\x80')
    (work / 'last_checkpoint').write_text(str(own))
    message = refusal('train', classifier(), '--work-dir', work, '--resume')
    assert str(own) in message
    assert sorted(path.name for path in work.iterdir()) == ['epoch_1.pth', 'last_checkpoint']


def test_bad_checkpoint_is_refused_by_load_from(classifier, refusal, bad_checkpoint, tmp_path):
    config = classifier(load_from=str(bad_checkpoint))
    assert str(bad_checkpoint) in refusal('train', config, '--work-dir', tmp_path / 'work')
    assert not (tmp_path / 'work').exists()


def test_bad_checkpoint_is_refused_by_test(classifier, refusal, bad_checkpoint, tmp_path):
    out = tmp_path / 'metrics.json'
    work = tmp_path / 'work'
    message = refusal('test', classifier(), bad_checkpoint, '--work-dir', work, '--out', out)
    assert str(bad_checkpoint) in message
    assert not out.exists()
    assert not work.exists()


def test_views_are_of_detectors(classifier, trained, refusal):
    assert 'the config is no detector' in refusal('test', classifier(), trained, '--tta')
    assert '--show-dir DIR' in refusal('test', classifier(), trained, '--show')


def test_refused_pickle_says_what_and_how_to_convert(classifier, refusal, tmp_path):
    path = tmp_path / 'evil.pth'
    torch.save({'state_dict': {'a': pytest.approx}}, path)
    message = refusal('test', classifier(), path)
    assert 'approx was refused' in message
    assert 'torch.load' in message


@pytest.mark.parametrize('how', ['test', 'resume'])
def test_checkpoint_of_another_architecture_names_the_first_layer(
    classifier, cifar, refusal, tmp_path, how
):
    network = cifar(depth=8, base_channels=6, classes=2).build_network()
    wide, work = tmp_path / 'wide.pth', tmp_path / 'work'
    save_checkpoint({'meta': {'epoch': 1, 'iter': 3}, 'state_dict': network.state_dict()}, wide)
    if how == 'test':
        message = refusal('test', classifier(), wide, '--work-dir', work)
    else:
        message = refusal('train', classifier(), '--work-dir', work, '--resume', wide)
    assert 'backbone.conv1.weight' in message
    assert '(6, 3, 3, 3)' in message
    assert '(4, 3, 3, 3)' in message
    assert not left_behind(tmp_path / 'work')


@pytest.mark.parametrize(
    'option, parts',
    [
        ('train_cfg.max_epoch=1', ("'train_cfg.max_epoch'", "Did you mean 'max_epochs'?")),
        ('optim_wraper.optimizer.lr=1', ("'optim_wraper.optimizer.lr'", "'optim_wrapper'")),
        ('custom_hooks.3.arm=x', ("'3' is no index",)),
        ('model.backbone.depth.deeper=1', ("'model.backbone.depth.deeper'",)),
    ],
)
@pytest.mark.parametrize('name', ['train', 'test'])
def test_unknown_option_is_refused_with_a_suggestion(
    classifier, trained, refusal, tmp_path, name, option, parts
):
    checkpoint = [trained] if name == 'test' else []
    work = tmp_path / 'work'
    message = refusal(name, classifier(), *checkpoint, '--work-dir', work, '--cfg-options', option)
    assert all(part in message for part in parts), message
    assert not work.exists()


def test_unknown_config_lists_the_shipped_ones(refusal):
    message = refusal('train', 'no-such.py')
    assert 'no-such.py does not exist' in message
    assert 'in classification/' in message and 'to list all' in message
    near = refusal('train', 'resnet18-w16_shape.py')
    assert 'Did you mean classification/resnet18-w16_shapes' in near


@pytest.mark.parametrize('text', ['model = dict(', 'raise RuntimeError("no")', '_base_ = "x.py"'])
def test_config_that_cannot_be_read_is_refused(refusal, tmp_path, text):
    (tmp_path / 'broken.py').write_text(text)
    assert 'broken.py cannot be read' in refusal('train', tmp_path / 'broken.py')


def test_config_without_a_model_is_refused(refusal, tmp_path):
    (tmp_path / 'mine.py').write_text('study = dict()')
    assert 'describes no model; a study is run by' in refusal('train', tmp_path / 'mine.py')


@pytest.mark.parametrize(
    'key',
    [
        'model',
        'model.backbone',
        'model.head',
        'train_dataloader.dataset',
        'optim_wrapper.optimizer',
        'val_evaluator',
        'custom_hooks.0',
    ],
)
def test_unknown_type_is_refused(classifier, refusal, tmp_path, key):
    config = classifier(hooks=[dict(type='CheckpointHook')])
    message = refusal(
        'train', config, '--work-dir', tmp_path / 'work', '--cfg-options', f'{key}.type=Nonesuch'
    )
    assert 'Nonesuch' in message
    assert len(message) < 1200
    assert not left_behind(tmp_path / 'work')


def test_unknown_arm_lists_the_known_ones(classifier, refusal):
    message = refusal('train', classifier(), '--backbone', 'resnet34-a', '--arm', 'prune-z')
    known = 'unpruned, fine-tune, scratch-e, scratch-b, scratch-total, rewind, lottery'
    assert f"Unknown classification arm 'prune-z'; known are {known}." in message


@pytest.mark.parametrize('half', [('--backbone', 'resnet34-a'), ('--arm', 'random')])
def test_backbone_and_arm_go_together(classifier, refusal, tmp_path, half):
    work = tmp_path / 'work'
    message = refusal('train', classifier(), '--work-dir', work, *half)
    assert '--backbone and --arm go together' in message
    assert not work.exists()


def test_arm_with_weights_needs_a_checkpoint(refusal, tmp_path):
    config = 'detection/faster-rcnn_r34_fpn_1x_coco.py'
    message = refusal(
        'train', config, '--work-dir', tmp_path / 'work', '--backbone', 'resnet34-a',
        '--arm', 'prune-c',
    )  # fmt: skip
    assert 'resnet34-a' in message
    assert not (tmp_path / 'work').exists()


def test_image_folder_without_images_is_refused(classifier, refusal, tmp_path):
    data_root = str(tmp_path / 'gone')
    config = classifier(dataset=dict(type='rethink_det.ImageFolder', data_root=data_root))
    message = refusal('train', config, '--work-dir', tmp_path / 'work')
    assert f'{tmp_path}/gone/train: no such folder' in message
    assert not left_behind(tmp_path / 'work')


COCO = 'detection/faster-rcnn_r34-l1norm-a-random_fpn_tiny-coco.py'


@pytest.mark.parametrize('name', ['train', 'test'])
def test_coco_folder_without_annotations_is_refused(refusal, trained, tmp_path, name):
    checkpoint = [trained] if name == 'test' else []
    split = 'train' if name == 'train' else 'test'
    message = refusal(
        name, COCO, *checkpoint, '--work-dir', tmp_path / 'work',
        '--cfg-options', f'{split}_dataloader.dataset.data_root={tmp_path}/gone/',
    )  # fmt: skip
    assert f'{tmp_path}/gone/annotations/instances_' in message
    assert f'{split}_dataloader.dataset.ann_file' in message
    assert not (tmp_path / 'work').exists()


def test_coco_annotations_without_their_images_are_refused(refusal, tmp_path):
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'train2017').mkdir()
    box = dict(id=1, image_id=1, category_id=1, bbox=[1, 1, 9, 9], area=81, iscrowd=0)
    content = dict(
        images=[dict(id=1, file_name='000001.jpg', width=20, height=20)],
        annotations=[box | dict(segmentation=[[1, 1, 9, 1, 9, 9]])],
        categories=[dict(id=1, name='person')],
    )
    (tmp_path / 'annotations' / 'instances_train2017.json').write_text(json.dumps(content))
    message = refusal(
        'train', COCO, '--work-dir', tmp_path / 'work',
        '--cfg-options', f'train_dataloader.dataset.data_root={tmp_path}/',
    )  # fmt: skip
    assert '000001.jpg' in message
    assert str(tmp_path / 'train2017') in message
    assert not (tmp_path / 'work').exists()


@pytest.mark.parametrize('arm', ['fine-tune', 'scratch-e', 'scratch-b'])
def test_classifier_arm_trains_the_pruned_architecture(classifier, trained, command, tmp_path, arm):
    config, pruned = classifier(epochs=2), tmp_path / 'pruned.pth'
    options = ('--pruner', 'L1NormPruner', '--pruner-options', 'ratios=0.7', '-o', pruned)
    assert command('prune', config, trained, *options).status == 0
    small = PrunedArchitecture.load(pruned)
    done = command(
        'train', config, '--backbone', pruned, '--arm', arm, '--work-dir', tmp_path / arm,
        '--arm-settings', 'fine_tune_epochs=1',
    )  # fmt: skip
    assert done.status == 0, done
    stretched = round(2 * small.base.cost().macs / small.cost().macs)
    epochs = {'fine-tune': 1, 'scratch-e': 2, 'scratch-b': stretched}[arm]
    assert stretched > 2
    assert last_checkpoint(tmp_path / arm).name == f'epoch_{epochs}.pth'
    assert PrunedArchitecture.load(last_checkpoint(tmp_path / arm)) == small


def test_unknown_arm_setting_lists_the_known_ones(classifier, refusal):
    message = refusal(
        'train', classifier(), '--backbone', 'resnet56-a', '--arm', 'scratch-e',
        '--arm-settings', 'epoch=3',
    )  # fmt: skip
    assert "'epoch'" in message and 'fine_tune_epochs' in message
