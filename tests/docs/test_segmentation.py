"""What docs/segmentation.md shows is what runs."""

import re
import shlex
from pathlib import Path

import pytest

from rethink_det.segmentation.datasets.map_folder import LAYOUTS
from rethink_det.transfer.settings import TransferSettings
from tests.segmentation.datasets.test_data_root import write

PAGE = (Path(__file__).resolve().parents[2] / 'docs' / 'segmentation.md').read_text()
(BLOCK,) = re.findall(r'```bash\n(.*?)```', PAGE, re.DOTALL)
TRAIN, TEST, STUDY = (shlex.split(line)[1:] for line in BLOCK.splitlines())
FEW = ('--cfg-options', 'train_dataloader.batch_size=2')


@pytest.mark.slow
def test_commands_run_from_top_to_bottom(command, tmp_path, monkeypatch):
    pytest.importorskip('mmseg', reason='needs onedl-mmsegmentation, the extra mmseg')
    monkeypatch.chdir(tmp_path)
    write(tmp_path / 'maps', count=4)
    for line in (TRAIN, TEST):
        done = command(*line, *FEW)
        assert done.status == 0 and 'mIoU: ' in done.out, done
    planned = command(*STUDY, '--dry-run')
    assert planned.status == 0 and 'segmentation/fcn_r18-w16-d8_shapes/prune-c' in planned.out


def test_without_a_folder_of_maps_nothing_is_trained(refusal, tmp_path, monkeypatch):
    pytest.importorskip('mmseg', reason='needs onedl-mmsegmentation, the extra mmseg')
    monkeypatch.chdir(tmp_path)
    assert 'no pictures with maps for train' in refusal(*TRAIN)


def test_layouts_and_stage_are_those_of_the_code():
    assert {'img_dir', 'ann_dir', 'images', 'annotations', 'masks', 'labels'} <= set(
        re.findall(r'\w+', ' '.join(' '.join(pair) for pair in LAYOUTS))
    )
    assert 'img_dir/{train,val}' in PAGE and 'annotations/{training,validation}' in PAGE
    assert TransferSettings(stage='segmentation', schedule='scratch-b').schedule in PAGE
