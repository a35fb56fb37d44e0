"""The shipped COCO config on real photographs, with a pruned ResNet-34."""

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture

CONFIG = 'detection/faster-rcnn_r34-l1norm-a-random_fpn_tiny-coco.py'

SMALLER = """
_base_ = {base!r}
data = dict(data_root={root!r})
train_dataloader = dict(dataset=dict(indices=4, **data), num_workers=0, persistent_workers=False)
val_dataloader = dict(dataset=dict(indices=4, **data), num_workers=0, persistent_workers=False)
test_dataloader = dict(dataset=dict(indices=4, **data), num_workers=0, persistent_workers=False)
val_evaluator = dict(ann_file={root!r} + 'annotations/instances_val2017.json')
test_evaluator = dict(ann_file={root!r} + 'annotations/instances_val2017.json')
train_cfg = dict(max_epochs=1, val_interval=1)
randomness = dict(seed=0)
for _loader in (train_dataloader, val_dataloader, test_dataloader):
    _loader['dataset']['pipeline'] = [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True),
        dict(type='Resize', scale=(320, 192), keep_ratio=True),
        dict(type='PackDetInputs', meta_keys=(
            'img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'
        )),
    ]
"""


@pytest.fixture
def config(shared, tmp_path):
    """The shipped config on four images of a fifth of the size."""
    from rethink_det.training.config import find_config

    root = shared / 'data' / 'tiny_coco'
    if not root.is_dir():
        pytest.skip(f'no tiny COCO at {root}')
    path = tmp_path / 'tiny.py'
    path.write_text(SMALLER.format(base=str(find_config(CONFIG)), root=f'{root}/'))
    return path


@pytest.mark.slow
def test_pruned_detector_trains_and_evaluates_on_photographs(config, command, tmp_path):
    work = tmp_path / 'work'
    done = command('train', config, '--work-dir', work)
    assert done.status == 0, done
    assert 'coco/bbox_mAP: ' in done.out
    checkpoint = torch.load(work / 'epoch_1.pth', weights_only=True)
    assert checkpoint['meta']['provenance']['arm'] == 'random'
    assert PrunedArchitecture.load(work / 'epoch_1.pth') == PrunedArchitecture.load('resnet34-a')

    tested = command('test', config, work / 'epoch_1.pth', '--work-dir', tmp_path / 'test')
    assert tested.status == 0
    metrics = [line for line in done.out.splitlines() if line.startswith('coco/')]
    assert metrics == [line for line in tested.out.splitlines() if line.startswith('coco/')]


def test_images_that_are_missing_are_named(shared, command, tmp_path):
    annotations = shared / 'data' / 'tiny_coco' / 'annotations'
    if not annotations.is_dir():
        pytest.skip(f'no tiny COCO at {annotations}')
    (tmp_path / 'annotations').symlink_to(annotations)
    (tmp_path / 'train2017').mkdir()
    done = command(
        'train', CONFIG, '--work-dir', tmp_path / 'work',
        '--cfg-options', f'train_dataloader.dataset.data_root={tmp_path}/',
    )  # fmt: skip
    assert done.status == 2
    assert f'are not in {tmp_path}/train2017: 0000000' in done.err
    assert not (tmp_path / 'work').exists()
