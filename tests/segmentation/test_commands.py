"""The commands take a segmenter and a folder of maps."""

import re

import pytest

from tests.segmentation.datasets.test_data_root import write

pytest.importorskip('mmseg', reason='needs onedl-mmsegmentation, the extra mmseg')

CONFIG = 'segmentation/fcn_r18-w16-d8_shapes.py'
MIOU = re.compile(r'^mIoU: (\S+)$', re.MULTILINE)


@pytest.mark.slow
def test_a_folder_is_trained_on_and_evaluated(command, tmp_path):
    root, work = write(tmp_path / 'data', count=4), tmp_path / 'work'
    few = ('--data-root', root, '--cfg-options', 'train_dataloader.batch_size=2')
    done = command('train', CONFIG, '--work-dir', work, *few, 'train_cfg.max_epochs=1')
    assert done.status == 0, done
    assert 'model.decode_head.num_classes: 9 -> 3' in done.out
    again = command('test', CONFIG, work / 'epoch_1.pth', '--work-dir', work, *few)
    assert again.status == 0, again
    assert MIOU.search(done.out)[1] == MIOU.search(again.out)[1]


def test_heads_that_count_other_classes_are_refused(refusal, tmp_path):
    said = refusal(
        'train', CONFIG, '--work-dir', tmp_path, '--cfg-options',
        'model.decode_head.num_classes=8',
    )  # fmt: skip
    assert 'model.decode_head.num_classes is 8, but train_dataloader.dataset has 9 cl' in said


def test_an_arm_of_another_stage_is_refused(refusal, tmp_path):
    said = refusal(
        'train', CONFIG, '--backbone', 'resnet50-thinet-50', '--arm', 'prune-d',
        '--work-dir', tmp_path,
    )  # fmt: skip
    assert "Unknown segmentation arm 'prune-d'; known are unpruned, prune-c, scratch-e" in said
