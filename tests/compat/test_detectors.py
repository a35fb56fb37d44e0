"""mmdet's own detectors train a step and detect on the supplied operators."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

pytestmark = pytest.mark.usefixtures('ext')

SIDE = 128
WIDTH = 64
TWO_STAGE = [
    'faster_rcnn/faster-rcnn_r50_fpn_1x_coco',
    'mask_rcnn/mask-rcnn_r50_fpn_1x_coco',
    'faster_rcnn/faster-rcnn_r50_fpn_soft-nms_1x_coco',
    'dcn/faster-rcnn_r50-dconv-c3-c5_fpn_1x_coco',
    'dcnv2/faster-rcnn_r50-mdconv-c3-c5_fpn_1x_coco',
    'dcnv2/faster-rcnn_r50-mdconv-group4-c3-c5_fpn_1x_coco',
]
ONE_STAGE = ['retinanet/retinanet_r50_fpn_1x_coco', 'fcos/fcos_r50-caffe_fpn_gn-head_1x_coco']


def shrink_two_stage(model):
    model.rpn_head.update(in_channels=WIDTH, feat_channels=WIDTH)
    head = model.roi_head
    head.bbox_roi_extractor.out_channels = WIDTH
    head.bbox_head.update(in_channels=WIDTH, fc_out_channels=WIDTH, num_classes=3)
    if 'mask_head' in head:
        head.mask_roi_extractor.out_channels = WIDTH
        head.mask_head.update(in_channels=WIDTH, conv_out_channels=WIDTH, num_classes=3)
    return model.test_cfg.rcnn


def shrink_one_stage(model):
    model.bbox_head.update(in_channels=WIDTH, feat_channels=WIDTH, num_classes=3)
    return model.test_cfg


@pytest.fixture(params=TWO_STAGE + ONE_STAGE)
def detector(request, device):
    """The 1x COCO model of mmdet's config, every width cut to a few channels."""
    import mmdet.models  # noqa: F401
    from mmdet.registry import MODELS

    configs = Path(mmdet.__file__).parent / '.mim' / 'configs'
    model = Config.fromfile(configs / f'{request.param}.py').model
    model.backbone.update(base_channels=8, init_cfg=None, frozen_stages=-1)
    model.neck.update(in_channels=[32, 64, 128, 256], out_channels=WIDTH)
    shrink = shrink_two_stage if request.param in TWO_STAGE else shrink_one_stage
    shrink(model).score_thr = 0.0  # untrained: let detections reach NMS
    model['_scope_'] = 'mmdet'  # of this model alone: other tests keep their default scope
    torch.manual_seed(0)
    return MODELS.build(model).to(device)


def batch():
    from mmdet.structures import DetDataSample
    from mmdet.structures.mask import BitmapMasks
    from mmengine.structures import InstanceData

    boxes = torch.tensor([[10.0, 10, 60, 70], [50, 40, 120, 120]])
    masks = np.zeros((2, SIDE, SIDE), np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
        mask[y1:y2, x1:x2] = 1
    shape = (SIDE, SIDE)
    sample = DetDataSample(
        metainfo=dict(img_shape=shape, ori_shape=shape, pad_shape=shape, scale_factor=(1.0, 1.0))
    )
    sample.gt_instances = InstanceData(
        bboxes=boxes, labels=torch.tensor([1, 2]), masks=BitmapMasks(masks, SIDE, SIDE)
    )
    image = torch.randint(0, 256, (3, SIDE, SIDE), dtype=torch.uint8)
    return dict(inputs=[image], data_samples=[sample])


def test_detector_trains_a_step_and_detects(detector):
    data = detector.data_preprocessor(batch(), training=True)
    loss, parts = detector.parse_losses(detector(**data, mode='loss'))
    assert loss.isfinite()
    assert ('loss_mask' in parts) == detector.with_mask
    loss.backward()
    assert detector.backbone.conv1.weight.grad.abs().sum() > 0
    offsets = [p for name, p in detector.named_parameters() if name.endswith('offset.weight')]
    assert len(offsets) == (13 if detector.backbone.dcn else 0)  # 3x3 layers of conv3 to conv5
    assert all(parameter.grad.abs().sum() > 0 for parameter in offsets)

    detector.eval()
    with torch.no_grad():
        found = detector(**data, mode='predict')[0].pred_instances
    assert 0 < len(found) <= 100
    assert found.bboxes.min() >= 0
    assert found.bboxes.max() <= SIDE
    if detector.with_mask:
        assert found.masks.shape == (len(found), SIDE, SIDE)
