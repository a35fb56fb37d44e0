"""Whatever is wrong with a detector's input: one message, exit status 2, the work dir untouched."""

import json
import shlex
from pathlib import Path

import pytest

from tests.detection.backbones import write_classifier
from tests.detection.datasets.voc_devkit import write_devkit
from tests.tiny_data import write_coco

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SHAPES = 'detection/faster-rcnn_r18-w16_fpn_shapes.py'
COCO = 'detection/faster-rcnn_r34_fpn_1x_coco.py'
ON_COCO = f'train {COCO} --cfg-options train_dataloader.dataset.data_root={{root}}/coco/'
ON_VOC = 'train {root}/voc.py --data-root {root}/devkit'
TO_BACKBONE = f'train {SHAPES} --arm prune-c --backbone'
MINE = """
_base_ = {base!r}
custom_imports = dict(imports=['rethink_det'])
model = dict(
    backbone=dict(
        _delete_=True, type='rethink_det.PrunedBackbone', architecture='{root}/small.pth'
    ),
    neck=dict(in_channels=[12, 32, 64, 128]),
)
custom_hooks = [
    dict(type='rethink_det.TransferHook', arm='prune-c', checkpoint='{root}/small.pth')
]
"""
VOC = """
_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
    {base!r},
    'mmdet::_base_/schedules/schedule_1x.py',
    'mmdet::_base_/default_runtime.py',
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=20)))
"""


@pytest.fixture
def root(tmp_path):
    """Data, a classifier whose last stages are cut, and a user's own configs, nothing wrong yet."""
    write_coco(tmp_path / 'coco')
    write_devkit(tmp_path / 'devkit')
    small = write_classifier(
        tmp_path / 'small.pth', {'layer1.0.conv2': 0.75}, depth=18, base_channels=16
    )
    (tmp_path / 'truncated.pth').write_bytes(small.read_bytes()[:-2000])
    (tmp_path / 'mine.py').write_text(MINE.format(root=tmp_path, base=str(CONFIGS / SHAPES)))
    (tmp_path / 'voc.py').write_text(VOC.format(base=str(CONFIGS / '_base_/voc07.py')))
    (tmp_path / 'tracker.py').write_text("model = dict(type='SORT', detector=dict())\n")
    return tmp_path


@pytest.fixture
def refused(root, refusal):
    """The message of a command that must do nothing."""

    def run(line: str) -> str:
        work = root / 'work'
        work.mkdir()
        (work / 'notes.txt').write_text('of an earlier run')
        message = refusal(*shlex.split(line.format(root=root)), '--work-dir', work)
        assert [file.name for file in work.iterdir()] == ['notes.txt']
        return message

    return run


def annotated(**changes):
    """Changes the first annotation of the training images."""

    def damage(root):
        file = root / 'coco/annotations/instances_train2017.json'
        content = json.loads(file.read_text())
        content['annotations'][0] |= changes
        file.write_text(json.dumps(content))

    return damage


def gone(name):
    """Removes a file."""
    return lambda root: (root / name).unlink()


@pytest.mark.parametrize(
    'line, parts',
    [
        (f'train {SHAPES} --backbone resnet56-a --arm random',
         ['CifarResNet is of another family', 'strides 1, 2, 4', '4, 8, 16, 32']),
        (f'train {SHAPES} --backbone resnet34-z --arm random',
         ["No architecture 'resnet34-z'", 'resnet34-a']),
        (f'{TO_BACKBONE} resnet34-a', ['resnet34-a', 'no weights', 'prune-c needs']),
        (f'{TO_BACKBONE} {{root}}/gone.pth', ['gone.pth']),
        (f'{TO_BACKBONE} {{root}}/truncated.pth', ['truncated.pth is no checkpoint, or a damaged']),
        (f'{TO_BACKBONE} {{root}}/small.pth --cfg-options model.neck.in_channels=[16,32,64]',
         ['model.neck.in_channels is for 3 feature maps, the backbone gives 4']),
        (f'train {SHAPES} --cfg-options model.neck.in_channels=[12,32,64,128]',
         ['model.neck.in_channels is [12, 32, 64, 128]', '[16, 32, 64, 128] wide']),
        (f'train {SHAPES} --cfg-options model.neck.in_channels=[32,64,128]',
         ['model.neck.in_channels is [32, 64, 128]']),
        (f'train {SHAPES} --cfg-options model.backbone.depth=35', ['invalid depth 35']),
        (f'train {SHAPES} --resume {{root}}/truncated.pth', ['truncated.pth', 'damaged']),
        (f'train {SHAPES} --cfg-options load_from={{root}}/truncated.pth', ['truncated.pth']),
        (f'test {SHAPES} {{root}}/truncated.pth', ['truncated.pth', 'damaged']),
        (f'test {SHAPES} {{root}}/gone.pth', ['gone.pth does not exist']),
        ('train {root}/tracker.py --arm random --backbone resnet34-a',
         ['no detector: it has no model.backbone nor model.detector']),
        ('train studies/demo.py', ['demo.py describes no model', 'rethink-det study']),
        ('train classification/resnet18-w16_shapes.py --arm prune-c --backbone {root}/small.pth',
         ["Unknown classification arm 'prune-c'"]),
        ('train classification/resnet18-w16_shapes.py --data-root {root}/coco',
         ['no detector that --data-root knows']),
        (f'train {COCO}', ['data/coco/annotations/instances_train2017.json does not exist']),
        (f'{ON_COCO} model.roi_head.bbox_head.num_classes=3',
         ['model.roi_head.bbox_head.num_classes is 3', 'instances_train2017.json has 80']),
        (f'{ON_VOC} --cfg-options model.roi_head.bbox_head.num_classes=80',
         ['model.roi_head.bbox_head.num_classes is 80', 'has 20 classes']),
        (f'{ON_VOC}/VOC2007/JPEGImages', ['has no annotations of train', 'Main/trainval.txt']),
    ],
)  # fmt: skip
def test_wrong_command_line(line, parts, refused):
    message = refused(line)
    assert all(part in message for part in parts), message


MY_OPTIONS = {
    'model.backbone.architecture=resnet34-z': ["No architecture 'resnet34-z'"],
    'model.neck.in_channels=[16,32,64,128]': ['is [16, 32, 64, 128]', '[12, 32, 64, 128] wide'],
    'custom_hooks.0.checkpoint={root}/gone.pth': ['gone.pth does not exist'],
    'custom_hooks.0.checkpoint={root}/truncated.pth': ['truncated.pth', 'damaged'],
    'custom_hooks.0.checkpoint={root}/other.pth': ['other.pth into backbone', '(16, 3, 7, 7)'],
    'custom_hooks.0.arm=random': ["arm 'random' takes no checkpoint"],
}


@pytest.mark.parametrize('option', MY_OPTIONS)
def test_mistake_in_a_config_that_was_written_by_hand(option, root, refused):
    write_classifier(root / 'other.pth', arm='fine-tune', depth=18, base_channels=16)
    message = refused(f'train {{root}}/mine.py --cfg-options {option}')
    assert all(part in message for part in MY_OPTIONS[option]), message


@pytest.mark.parametrize(
    'line, damage, parts',
    [
        (ON_COCO, gone('coco/train2017/000000000002.jpg'),
         ['4 images, 1 of them are not in', 'train2017: 000000000002.jpg']),
        (ON_COCO, lambda root: (root / 'coco/train2017').rename(root / 'coco/images'),
         ['train2017 is no folder', 'train_dataloader.dataset.data_prefix.img']),
        (ON_COCO, annotated(id=7, image_id=99), ['annotation 7 belongs to image_id 99']),
        (ON_COCO, annotated(id=7, category_id=12), ['annotation 7 has category_id 12']),
        (ON_COCO, lambda root: (root / 'coco/annotations/instances_train2017.json').write_text(''),
         ['instances_train2017.json is no COCO annotation file']),
        (ON_VOC, gone('devkit/VOC2007/JPEGImages/2007_000002.jpg'),
         ['trainval.txt lists 4 images, 1 of which', '2007_000002.jpg']),
        (ON_VOC, gone('devkit/VOC2007/Annotations/2007_000005.xml'), ['2007_000005.xml']),
        (ON_VOC, gone('devkit/VOC2007/ImageSets/Main/test.txt'), ['test.txt does not exist']),
        (ON_VOC, lambda root: (root / 'devkit/VOC2007/Annotations/2007_000001.xml').write_text('<'),
         ['2007_000001.xml is no XML file']),
    ],
)  # fmt: skip
def test_damaged_data(line, damage, parts, root, refused):
    damage(root)
    message = refused(line)
    assert all(part in message for part in parts), message


def test_data_of_a_test_are_looked_at_too(root, refused):
    gone('coco/val2017/000000000001.jpg')(root)
    line = f'test {COCO} {{root}}/small.pth --cfg-options'
    message = refused(f'{line} test_dataloader.dataset.data_root={{root}}/coco/')
    assert '2 images, 1 of them are not in' in message
