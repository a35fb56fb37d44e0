"""Whatever reads the backbone is told its widths, or refused."""

import pytest
import torch
from mmengine.config import Config

from rethink_det.detection.transfer.in_channels import set_widths
from rethink_det.errors import UserError
from tests.detection.backbones import write_classifier
from tests.detection.transfer.adapting import HALF, adapt, adapted, build, mmdet_config

SIDE = 128


def test_neck_reads_the_widths_that_pruning_left(detector, resnet, saved):
    shape = resnet(layer1_0_conv2=12, layer3_1_conv2=50, layer4_0_conv1=7)
    config = adapt(detector, 'random', saved(shape))
    assert config.model.neck.in_channels == [12, 32, 50, 128]
    model = build(config)
    with torch.no_grad():
        maps = model.extract_feat(torch.zeros(1, 3, SIDE, SIDE))
    assert [m.shape[1] for m in maps] == [32] * 4


def test_neck_stays_if_only_inner_layers_were_cut(detector, resnet, saved):
    config = adapt(detector, 'random', saved(resnet(layer1_0_conv1=5, layer4_1_conv1=60)))
    assert config.model.neck == detector.model.neck


def test_neck_of_fewer_levels_reads_the_chosen_stages(detector, resnet, saved):
    config = Config(detector.to_dict())
    config.model.backbone.out_indices = (1, 2, 3)
    config.model.neck.in_channels = [32, 64, 128]
    new = adapt(config, 'random', saved(resnet(layer2_0_conv2=20)))
    assert new.model.neck.in_channels == [20, 64, 128]


def test_detector_without_neck_is_adapted(detector, resnet, saved):
    config = Config(detector.to_dict())
    del config.model['neck']
    assert 'neck' not in adapt(config, 'random', saved(resnet())).model


@pytest.mark.parametrize(
    'name, where, widths',
    [
        ('libra_rcnn/libra-faster-rcnn_r50_fpn_1x_coco.py', 'neck.0.in_channels', HALF),
        ('detr/detr_r50_8xb2-150e_coco.py', 'neck.in_channels', HALF[3:]),
        ('yolof/yolof_r50-c5_8xb8-1x_coco.py', 'neck.in_channels', 1024),
        ('mask2former/mask2former_r50_8xb2-lsj-50e_coco.py', 'panoptic_head.in_channels', HALF),
        # Deepest first, and of a MobileNetV2, whose indices mean other stages.
        ('yolo/yolov3_mobilenetv2_8xb24-320-300e_coco.py', 'neck.in_channels', HALF[:0:-1]),
    ],
)
def test_whatever_reads_the_backbone_is_told_its_widths(name, where, widths, pruned50):
    found = adapted(mmdet_config(name), 'prune-c', pruned50)
    model = found.config.model
    for key in where.split('.'):
        model = model[int(key) if key.isdigit() else key]
    assert model == widths
    assert f'model.{where}' in {one.place for one in found.changes if one.after == widths}


def test_a_detector_that_reads_one_map_without_a_neck_is_adapted(pruned50):
    """DC5: the last stage is kept as fine as the third by its dilation."""
    config = mmdet_config('faster_rcnn/faster-rcnn_r50-caffe-dc5_1x_coco.py')
    model = adapt(config, 'prune-c', pruned50).model
    assert model.rpn_head.in_channels == 1024
    assert model.roi_head.bbox_roi_extractor.out_channels == 1024
    assert model.roi_head.bbox_head.in_channels == 1024
    assert (model.backbone.strides, model.backbone.dilations) == ((1, 2, 2, 1), (1, 1, 1, 2))
    with torch.no_grad():
        (only,) = build(Config(dict(model=model))).backbone(torch.zeros(1, 3, 64, 64))
    assert only.shape[1:] == (1024, 4, 4)


def test_a_neck_that_cannot_be_told_its_widths_is_refused(detector, resnet, saved):
    config = Config(detector.to_dict())
    del config.model.neck['in_channels']
    with pytest.raises(UserError, match='model.neck .FPN. has no in_channels'):
        adapt(config, 'random', saved(resnet(layer1_0_conv2=12)))


def test_a_neck_that_cannot_be_built_for_the_widths_is_refused(tmp_path):
    name = 'ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py'
    keep = {f'layer{stage}.0.conv3': 0.7 for stage in (2, 3, 4)}
    source = str(write_classifier(tmp_path / 'odd.pth', keep))
    with pytest.raises(UserError, match='model.neck .* cannot be built .* wide: .*AssertionError'):
        adapt(mmdet_config(name), 'prune-c', source)


def test_a_head_of_an_unrelated_width_is_refused(pruned50):
    config = mmdet_config('faster_rcnn/faster-rcnn_r50-caffe-dc5_1x_coco.py')
    config.model.rpn_head.in_channels = 77
    with pytest.raises(UserError, match='model.rpn_head.in_channels is 77, which is not the width'):
        adapt(config, 'prune-c', pruned50)


def test_a_recursive_pyramid_with_a_backbone_of_its_own_is_refused():
    neck = dict(type='RFP', in_channels=[8, 16], rfp_backbone=dict(type='DetectoRS_ResNet'))
    assert set_widths({'neck': dict(neck)}, [8, 16], [8, 16]) == []
    with pytest.raises(UserError, match='neck.rfp_backbone is a second backbone'):
        set_widths({'neck': dict(neck)}, [8, 16], [4, 16])
