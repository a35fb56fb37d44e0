"""mmdet's own configs, as they are, with a backbone that is narrower in its outputs as well."""

import re

import pytest
import torch
from mmengine.config import Config

from rethink_det.architecture.checkpoint import digest, load_checkpoint
from tests.detection.backbones import write_classifier

STREAMS = {f'layer{stage}.0.conv3': share for stage, share in enumerate((0.9, 0.7, 0.6, 0.8), 1)}
WIDTHS = [230, 358, 614, 1638]
INNER = {'layer1.1.conv1': 0.5, 'layer3.2.conv2': 0.5}
CASCADE = (
    'model.train_cfg.rpn_proposal.max_per_img=50',
    'model.test_cfg.rpn.max_per_img=20',
    'model.test_cfg.rcnn.score_thr=0.0',  # mmdet's metric is empty where nothing is detected
)
FEW = (*CASCADE, 'model.train_cfg.rcnn.sampler.num=16')
ONE_STAGE = ('model.test_cfg.score_thr=0.0', 'model.test_cfg.nms_pre=50')
QUICK = ('faster-rcnn_r50_fpn',)
CONFIGS = {
    'faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py': ({}, STREAMS | INNER, FEW),
    'faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py': (dict(style='caffe'), STREAMS | INNER, FEW),
    'retinanet/retinanet_r50_fpn_1x_coco.py': ({}, STREAMS | INNER, ONE_STAGE),
    'fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py': (
        dict(style='caffe'), STREAMS | INNER, ONE_STAGE,
    ),
    'cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py': ({}, STREAMS | INNER, CASCADE),
    'mask_rcnn/mask-rcnn_r101_fpn_1x_coco.py': (dict(depth=101), STREAMS | INNER, FEW),
    'mask_rcnn/mask-rcnn_x101-32x4d_fpn_1x_coco.py': (
        dict(type='mmdet.ResNeXt', depth=101, groups=32, base_width=4), STREAMS, FEW,
    ),
}  # fmt: skip


def tiny(root, resize=(2, 1, 1)) -> list[str]:
    """Command line options by which a COCO config trains two steps on tiny images."""
    options = ['train_cfg.max_epochs=1', 'default_hooks.logger.interval=1']
    for split, place in zip(('train', 'val', 'test'), resize, strict=True):
        loader = f'{split}_dataloader'
        options += [f'{loader}.num_workers=0', f'{loader}.persistent_workers=False']
        options += [f'{loader}.dataset.data_root={root}/']
        options += [f'{loader}.dataset.pipeline.{place}.scale=(200,160)']
        if split != 'train':
            options += [f'{split}_evaluator.ann_file={root}/annotations/instances_val2017.json']
    return options


@pytest.mark.parametrize(
    'name',
    [
        pytest.param(n, marks=() if any(q in n for q in QUICK) else pytest.mark.slow)
        for n in CONFIGS
    ],
)
def test_config_trains_and_evaluates(name, coco_root, command, tmp_path):
    backbone, keep, few = CONFIGS[name]
    source = write_classifier(tmp_path / 'pruned.pth', keep, **backbone)
    done = command(
        'train', f'mmdet::{name}', '--backbone', source, '--arm', 'prune-c',
        '--work-dir', tmp_path / 'work', '--cfg-options', *tiny(coco_root), *few,
    )  # fmt: skip
    assert done.status == 0, done
    assert re.search(r'^coco/bbox_mAP: -?\d', done.out, re.MULTILINE), done.out
    assert ('coco/segm_mAP' in done.out) == ('mask' in name)

    resolved = Config.fromfile(tmp_path / 'work' / name.split('/')[1])
    widths = [WIDTHS[2]] if 'c4' in name else WIDTHS
    assert reads(resolved.model) == widths
    assert (f'-> {widths}' in done.out) or (f'-> {widths[0]}' in done.out)

    saved = load_checkpoint(tmp_path / 'work' / 'epoch_1.pth')
    assert saved['meta']['iter'] == 2
    given = load_checkpoint(source)['state_dict']
    given = {n.removeprefix('backbone.'): t for n, t in given.items() if 'backbone.' in n}
    proof = saved['meta']['provenance']
    assert (proof['parent_digest'], proof['tensors']) == (digest(given), len(given))
    assert saved['meta']['architecture'] == load_checkpoint(source)['meta']['architecture']
    frozen = saved['state_dict']['backbone.conv1.weight']  # all of them freeze the stem
    assert torch.equal(frozen, given['conv1.weight'])


def reads(model) -> list[int]:
    """The widths that a detector's first layers after the backbone are told."""
    return model.neck.in_channels if model.get('neck') else [model.rpn_head.in_channels]
