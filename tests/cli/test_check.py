"""``check``: what would start passes, with what is to be known of it; all else is refused."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from tests.detection.datasets.coco_layouts import write_layout

DETECTOR = 'detection/faster-rcnn_r18-w16_fpn_shapes.py'


@pytest.fixture
def coco(tmp_path):
    return write_layout(tmp_path / 'coco', 'coco')


def test_a_classifier_is_described_and_does_a_step(command, classifier, tmp_path):
    work = tmp_path / 'work'
    done = command('check', classifier(), '--work-dir', work)
    assert done.status == 0
    lines = done.out.splitlines()
    assert any(line.startswith('one step: loss ') for line in lines)
    assert any(line.startswith('evaluated on a few images: accuracy/top1 ') for line in lines)
    assert any(line.startswith('weights: none is given') for line in lines)
    assert lines[-1] == 'A training can start.'
    assert [path.name for path in work.iterdir()] == ['samples.png']
    assert Image.open(work / 'samples.png').height == 336


def test_files_alone_are_looked_at_without_a_step(command, coco, tmp_path):
    work = tmp_path / 'work'
    done = command('check', DETECTOR, '--data-root', coco, '--no-step', '--work-dir', work)
    assert done.status == 0 and not work.exists()
    assert 'train_dataloader.dataset: 4 images, 8 objects' in done.out
    assert '  classes: ship 3, tree 3, house 2' in done.out
    assert '  boxes: 8 small, 0 medium, 0 large; sides of 32 to 32 pixels' in done.out
    assert 'test_dataloader.dataset: ' not in done.out  # the same as val
    assert 'cost: 0.98 M parameters' in done.out
    assert 'weights were not loaded, and no step was done' in done.out
    assert 'A training can start' not in done.out


def test_a_picture_of_val_that_was_saved_anew_in_train_is_said(command, coco, tmp_path):
    rng = np.random.default_rng(0)
    for path in coco.glob('*2017/*.jpg'):
        Image.fromarray(rng.integers(0, 256, (4, 6, 3), np.uint8)).resize((96, 64)).save(path)
    options = [DETECTOR, '--data-root', coco, '--no-step', '--work-dir', tmp_path / 'work']
    assert 'look like one' not in command('check', *options).out
    held, copy = coco / 'val2017/val0.jpg', coco / 'train2017/train0.jpg'
    Image.open(held).save(copy, quality=30)
    assert f'({held} like {copy})' in command('check', *options).out


def test_what_train_refuses_is_refused(refusal, coco, classifier):
    file = coco / 'annotations/instances_train2017.json'
    content = json.loads(file.read_text())
    for one in content['annotations']:
        one['area'] = 0
    file.write_text(json.dumps(content))
    for name in ('check', 'train'):
        message = refusal(name, DETECTOR, '--data-root', coco)
        assert 'of 8 objects 8 are left out: 8 of area 0' in message
    assert '--backbone and --arm go together' in refusal('check', classifier(), '--arm', 'x')


def test_a_first_loss_that_is_not_finite_is_refused(refusal, classifier, trained, tmp_path):
    state = torch.load(trained, weights_only=True)
    state['state_dict']['head.fc.bias'][:] = float('nan')
    torch.save(state, tmp_path / 'nan.pth')
    options = ['--cfg-options', f'load_from={tmp_path / "nan.pth"}']
    message = refusal('check', classifier(load_from=None), *options)
    assert 'finite' in message
