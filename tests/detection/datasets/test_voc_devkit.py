"""PASCAL VOC: the bases read a devkit, its AP is right, a detector trains, gaps are refused."""

import os
import re

import pytest
import torch
from mmengine.registry import DATASETS, METRICS

from rethink_det.detection.measuring.pictures import first_images, picture
from tests.detection.datasets.voc_bases import CONFIGS, leaf, on
from tests.detection.datasets.voc_devkit import OBJECTS

pytestmark = pytest.mark.usefixtures('scope')


IMAGES = {'voc07': (3 * 4, 3), 'voc12': (3 * 2, 2), 'voc0712': (3 * (4 + 4), 3)}


@pytest.mark.parametrize('base', IMAGES)
def test_bases_read_a_devkit(base, devkit):
    config = on(devkit, base)
    built = {split: DATASETS.build(leaf(config, split)) for split in ('train', 'val', 'test')}
    assert (len(built['train']), len(built['val'])) == IMAGES[base]
    assert len(built['test']) == len(built['val'])
    sample = built['val'][0]['data_samples']
    names = [built['val'].metainfo['classes'][label] for label in sample.gt_instances.labels]
    assert names == ['cat', 'dog']
    assert sample.gt_instances.bboxes.tensor.tolist() == [
        [value - 1 for value in box] for _, difficult, *box in OBJECTS if not difficult
    ]
    assert len(sample.ignored_instances) == 1


def test_pictures_of_a_devkit_leave_difficult_objects_out(devkit):
    dataset = DATASETS.build(leaf(on(devkit, 'voc07')))
    positions = first_images(dataset, 2)
    assert positions == [0, 1]
    found = picture(dataset.get_data_info(positions[1]))
    assert (found['id'], found['width'], found['height']) == ('2007_000005', 96, 64)
    names = [dataset.metainfo['classes'][label] for label in found['truth']['labels']]
    assert names == ['cat', 'dog'] and 'masks' not in found['truth']


@pytest.mark.parametrize(
    'base, mode, ap',
    [
        # Of three cats two are found, with one false alarm between them:
        # recall 1/3, 1/3, 2/3 at precision 1, 1/2, 2/3; recalls 0 to 1 by tenths.
        ('voc07', '11points', (4 * 1 + 3 * 2 / 3) / 11),
        ('voc0712', '11points', (4 * 1 + 3 * 2 / 3) / 11),
        # Of two cats one is found, after a false alarm.
        ('voc12', 'area', 1 / 2 * 1 / 2),
    ],
)
def test_ap_is_that_of_the_challenge(base, mode, ap, devkit):
    config = on(devkit, base)
    assert config.val_evaluator.eval_mode == mode
    dataset = DATASETS.build(leaf(config))
    metric = METRICS.build(config.val_evaluator)
    metric.dataset_meta = dataset.metainfo
    cat, dog = (dataset.metainfo['classes'].index(name) for name in ('cat', 'dog'))
    nothing = [0.0, 0.0, 9.0, 9.0]
    scores = {'area': [None, 0.8], '11points': [0.9, 0.7, None]}[mode]
    for number, score in enumerate(scores):
        sample = dataset[number]['data_samples']
        cats, dogs = sample.gt_instances.bboxes.tensor
        boxes = [dogs, sample.ignored_instances.bboxes.tensor[0]]  # difficult ones do not count
        labels, given = [dog, cat], [0.5, 0.99]
        if number == 0:
            boxes, labels, given = [*boxes, torch.tensor(nothing)], [*labels, cat], [*given, 0.85]
        if score:
            boxes, labels, given = [*boxes, cats], [*labels, cat], [*given, score]
        sample.pred_instances = type(sample.gt_instances)(
            bboxes=torch.stack(boxes), labels=torch.tensor(labels), scores=torch.tensor(given)
        )
        sample.gt_instances.bboxes = sample.gt_instances.bboxes.tensor
        sample.ignored_instances.bboxes = sample.ignored_instances.bboxes.tensor
        metric.process({}, [sample.to_dict()])
    found = metric.evaluate(len(scores))
    assert found['pascal_voc/mAP'] == pytest.approx((ap + 1) / 2, abs=1e-6)  # of cats and dogs


MODEL = """
_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
    '{base}',
    'mmdet::_base_/schedules/schedule_1x.py',
    'mmdet::_base_/default_runtime.py',
]
model = dict(
    backbone=dict(depth=18, init_cfg=None),
    neck=dict(in_channels=[64, 128, 256, 512]),
    roi_head=dict(bbox_head=dict(fc_out_channels=16, num_classes=20)),
    train_cfg=dict(rpn_proposal=dict(max_per_img=50)),
    test_cfg=dict(rpn=dict(max_per_img=20), rcnn=dict(score_thr=0.0)),
)
train_cfg = dict(max_epochs=1)
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(times=1))
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = val_dataloader
"""


@pytest.mark.slow
def test_a_detector_trains_and_is_evaluated_on_voc(devkit, command, tmp_path):
    file = tmp_path / 'mine.py'
    file.write_text(MODEL.format(base=CONFIGS / '_base_/voc07.py'))
    scales = [
        f'{split}_dataloader.dataset.{key}.scale=(96,64)'
        for split, key in (
            ('train', 'dataset.pipeline.2'),
            ('val', 'pipeline.1'),
            ('test', 'pipeline.1'),
        )
    ]
    done = command(
        'train', file, '--data-root', devkit, '--work-dir', tmp_path / 'work',
        '--cfg-options', *scales,
    )  # fmt: skip
    assert done.status == 0, done
    assert re.search(r'^pascal_voc/mAP: [\d.e-]+$', done.out, re.MULTILINE), done.out


@pytest.mark.slow
def test_no_process_is_forked_for_evaluation(devkit, command, tmp_path, monkeypatch):
    # A forked process that inherits a handler of SIGTERM, as Ray's, is never ended by mmdet.
    def refuse():
        raise AssertionError('forked')

    monkeypatch.setattr(os, 'fork', refuse)
    test_a_detector_trains_and_is_evaluated_on_voc(devkit, command, tmp_path)
