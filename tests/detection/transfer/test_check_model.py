"""A model whose parts fit together passes, however it is built; one whose do not is refused."""

import pytest
import torch
from mmengine.config import Config

from rethink_det.arms import ARMS, DETECTION
from rethink_det.detection import transfer_config
from rethink_det.detection.transfer.check_model import check_model
from rethink_det.errors import UserError
from rethink_det.registered import scope_of
from rethink_det.registry import MODELS
from rethink_det.training.config import load_config
from tests.checkpoints import of_arm
from tests.detection.backbones import write_classifier
from tests.slow_ones import slow_where


@pytest.fixture(scope='module')
def pruned(tmp_path_factory):
    """The checkpoint of a ResNet-50, pruned in its outputs."""
    keep = {f'layer{stage}.0.conv3': 0.5 for stage in (1, 2, 3, 4)}
    return write_classifier(tmp_path_factory.mktemp('pruned') / '50.pth', keep)


@pytest.mark.parametrize(
    'name',
    [
        'yolo/yolov3_mobilenetv2_8xb24-320-300e_coco.py',  # deepest map first
        'detectors/cascade-rcnn_r50-rfp_1x_coco.py',  # the image is a map, too
        'yolof/yolof_r50-c5_8xb8-1x_coco.py',  # a number, not a list
        'cornernet/cornernet_hourglass104_8xb6-210e-mstest_coco.py',  # no neck
        'soft_teacher/soft-teacher_faster-rcnn_r50-caffe_fpn_180k_semi-0.1-coco.py',  # wrapped
    ],
)
def test_detectors_of_every_kind_pass(name):
    check_model(load_config(f'mmdet::{name}'))


@pytest.mark.parametrize('config', [{}, dict(model=None), dict(model=dict(type='SORT'))])
def test_what_has_no_backbone_passes(config):
    check_model(Config(config))


@pytest.fixture
def c4(pruned):
    """Faster R-CNN on C4, whose shared head takes a part of the weights."""
    config = load_config('mmdet::faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py')
    return transfer_config(config, ARMS.get(DETECTION, 'prune-c'), pruned, pruned).config


def test_weights_of_two_parts_pass(c4):
    check_model(c4)


def test_weights_that_are_no_part_of_the_model_are_refused(c4, tmp_path):
    whole = of_arm(write_classifier(tmp_path / 'whole.pth'), 'fine-tune')
    c4.custom_hooks[-1].checkpoint = str(whole)
    with pytest.raises(UserError, match=r'whole.pth into backbone: .* another architecture: lay'):
        check_model(c4)
    del c4.custom_hooks[-1]['rest']
    with pytest.raises(UserError, match='whole.pth into backbone: '):
        check_model(c4)


def test_a_neck_for_another_number_of_maps_is_refused():
    config = load_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py')
    config.model.backbone.out_indices = (1, 2, 3)
    with pytest.raises(UserError, match=r'model.neck.in_channels is \[256, 512, 1024, 2048\], but'):
        check_model(config)
    config.model.neck.in_channels = [512, 1024, 2048]
    check_model(config)


@pytest.mark.parametrize(
    'name',
    slow_where(
        'deformable|ddq',
        [
            'detr/detr_r50_8xb2-150e_coco.py',
            'deformable_detr/deformable-detr_r50_16xb2-50e_coco.py',
            'dino/dino-4scale_r50_8xb2-12e_coco.py',
            'ddq/ddq-detr-4scale_r50_8xb2-12e_coco.py',
        ],
    ),
)
def test_a_detector_that_changes_its_config_can_be_built_after_the_check(name):
    config = load_config(f'mmdet::{name}')
    arm = ARMS.get(DETECTION, 'random')
    adapted = transfer_config(config, arm, 'resnet50-thinet-50').config
    before = adapted.model.to_dict()
    check_model(adapted)
    assert adapted.model.to_dict() == before
    with scope_of(adapted), torch.device('meta'):
        detector = MODELS.build(adapted.model)  # as MMEngine does, once
    assert detector.backbone.architecture.name == 'resnet50-thinet-50'
    with pytest.raises((AssertionError, KeyError, TypeError)), scope_of(adapted):
        MODELS.build(adapted.model)  # which is why the check builds from copies
