"""A resumed run touches no file outside of its own folder, whatever its checkpoint says."""

import shutil
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import CheckpointHook

from rethink_det.errors import UserError
from rethink_det.training.launch import train
from rethink_det.training.moved_run import OwnFolderHook

BEST = dict(type='CheckpointHook', interval=1, save_best='accuracy/top1', rule='greater')


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == '.pth'}


def test_a_copy_that_is_resumed_leaves_the_original_alone(tiny_config, tmp_path):
    hooks = dict(default_hooks=dict(checkpoint=BEST))
    train(tiny_config(work_dir='original', epochs=1, **hooks))
    shutil.copytree(tmp_path / 'original', tmp_path / 'copy')
    content = torch.load(tmp_path / 'copy' / 'epoch_1.pth', weights_only=True)
    info = content['message_hub']['runtime_info']
    for key in info:  # whatever comes is better
        info[key] = -1.0 if key.startswith('best_score') else info[key]
    torch.save(content, tmp_path / 'copy' / 'epoch_1.pth')
    before = files_of(tmp_path / 'original')
    best = [name for name in before if name.startswith('best')]
    assert best
    train(tiny_config(work_dir='copy', epochs=2, resume=True, **hooks))
    assert files_of(tmp_path / 'original') == before
    after = files_of(tmp_path / 'copy')
    assert 'epoch_2.pth' in after
    assert len([name for name in after if name.startswith('best')]) == len(best)  # its own is gone


@pytest.fixture
def left(tmp_path):
    """What is left of the runtime info of a checkpoint that a run in ``own`` reads."""
    (tmp_path / 'own').mkdir()
    for name in ('best.pth', 'epoch_1.pth'):
        (tmp_path / 'own' / name).touch()

    def read(info, out_dir=None):
        hook = CheckpointHook(out_dir=out_dir)
        runner = SimpleNamespace(work_dir=str(tmp_path / 'own'), hooks=[hook])
        content = {'meta': {'config': '1 / 0'}, 'message_hub': {'runtime_info': dict(info)}}
        OwnFolderHook().after_load_checkpoint(runner, content)
        assert 'config' not in content['meta']
        return content['message_hub']['runtime_info']

    return read


def test_paths_of_another_folder_become_those_of_the_own(left, tmp_path):
    found = left({'best_ckpt': '/elsewhere/own/best.pth', 'last_ckpt': 'a/epoch_1.pth', 'iter': 3})
    own = {name: str(tmp_path / 'own' / name) for name in ('best.pth', 'epoch_1.pth')}
    assert found == {'best_ckpt': own['best.pth'], 'last_ckpt': own['epoch_1.pth'], 'iter': 3}


@pytest.mark.parametrize(
    'path',
    ['/', '/etc', '..', '../..', '.', '', '/elsewhere/gone.pth', 3, None, ['a'], '/dev/null'],
)
@pytest.mark.parametrize('key', ['best_ckpt', 'best_ckpt_coco/bbox_mAP', 'last_ckpt'])
def test_what_is_no_file_of_the_own_folder_is_forgotten(left, key, path):
    assert left({key: path}) == {}


def test_a_folder_of_its_own_for_checkpoints_counts(left, tmp_path):
    (tmp_path / 'out' / 'own').mkdir(parents=True)
    (tmp_path / 'out' / 'own' / 'best.pth').touch()
    found = left({'best_ckpt': '/elsewhere/best.pth'}, out_dir=str(tmp_path / 'out'))
    assert found == {'best_ckpt': str(tmp_path / 'out' / 'own' / 'best.pth')}


@pytest.mark.parametrize('kept', [['../../x'], [True], 'abc', 3, [1, '2']])
def test_only_numbers_name_checkpoints_that_are_removed_later(left, kept):
    assert left({'keep_ckpt_ids': [1, 2]}) == {'keep_ckpt_ids': [1, 2]}
    assert left({'keep_ckpt_ids': kept}) == {}


def test_a_folder_without_checkpoints_cannot_be_resumed_from_elsewhere(tiny_config, tmp_path):
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'last_checkpoint').write_text('/elsewhere/epoch_1.pth')
    config = tiny_config(epochs=1, load_from='/elsewhere/epoch_1.pth', resume=True)
    with pytest.raises(UserError, match='does not exist'):
        train(config)
