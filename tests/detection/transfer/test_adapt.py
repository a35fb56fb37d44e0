"""Another backbone in a detector's config: everything else stays, and it computes the same."""

import pytest
import torch
from mmengine.config import Config

from rethink_det.architecture import Cut
from rethink_det.arms import ARMS, DETECTION
from rethink_det.errors import UserError
from tests.detection.transfer.adapting import CLASSIFIERS, HALF, adapt, mmdet_config


@pytest.mark.parametrize('arm', [*CLASSIFIERS, 'random'])
def test_everything_but_the_backbone_is_kept(coco, arm, resnet, saved):
    before = coco.to_dict()
    new = adapt(coco, arm, saved(resnet(layer1_0_conv1=5))).to_dict()
    assert coco.to_dict() == before  # the given config is left alone
    hook = new.pop('custom_hooks')[-1]
    backbone = new['model'].pop('backbone')
    before.pop('custom_hooks', None)
    before['model'].pop('backbone')
    # This package's types are known to whoever reads the resolved config.
    assert new.pop('custom_imports') == before.pop('custom_imports', dict(imports=['rethink_det']))
    assert new == before
    assert backbone['type'] == 'rethink_det.PrunedBackbone'
    assert hook['type'] == 'rethink_det.TransferHook'
    assert hook['arm'] == arm


def test_hooks_of_the_config_stay_before_the_transfer(detector, resnet, saved):
    config = Config({**detector.to_dict(), 'custom_hooks': [dict(type='EMAHook')]})
    hooks = [hook.type for hook in adapt(config, 'random', saved(resnet())).custom_hooks]
    assert hooks == ['EMAHook', 'rethink_det.TransferHook']


def test_the_hooks_of_an_earlier_transfer_go(coco, resnet, saved):
    once = adapt(coco, 'random', saved(resnet()))
    twice = adapt(once, 'prune-c', saved(resnet()))
    assert [hook.arm for hook in twice.custom_hooks] == ['prune-c']


@pytest.mark.parametrize('model', [None, {}, dict(type='rethink_det.Classifier')])
def test_config_that_is_no_detector_is_refused(model):
    with pytest.raises(UserError, match='no detector: it has no model.backbone'):
        adapt(Config(dict(model=model)), 'random', 'resnet34-a')


def test_unknown_arm_lists_the_known_ones():
    with pytest.raises(
        UserError, match="'prune-x'.*unpruned, prune-c, prune-d, unpruned-d, scratch-e"
    ):
        ARMS.get(DETECTION, 'prune-x')


def test_neck_of_other_levels_is_refused(detector, resnet, saved):
    config = Config(detector.to_dict())
    config.model.neck.in_channels = [16, 32, 64]
    with pytest.raises(UserError, match=r'model.neck.in_channels is for 3 .* backbone gives 4'):
        adapt(config, 'random', saved(resnet()))


def test_unknown_architecture_is_refused(detector):
    with pytest.raises(UserError, match="No architecture 'resnet34-z'.*resnet34-a"):
        adapt(detector, 'random', 'resnet34-z')


def test_backbone_of_another_family_is_refused(detector):
    with pytest.raises(UserError, match='neck|CifarResNet'):
        adapt(detector, 'random', 'resnet56-a')


def test_weights_are_required_by_arms_that_have_a_source(detector, resnet, saved):
    with pytest.raises(UserError, match='prune-c.*checkpoint'):
        adapt(detector, 'prune-c', saved(resnet()), weights=None)


@pytest.mark.parametrize('arm, redraw', [('prune-c', False), ('random', True)])
def test_weight_masks_come_along(detector, arm, redraw, resnet, saved):
    mask = torch.ones(16, 16, 3, 3, dtype=torch.bool)
    mask[0] = False
    masked = resnet().after(Cut(masks={'backbone.layer1.0.conv1.weight': mask}))
    source = saved(masked)
    config = adapt(detector, arm, source)
    assert config.custom_hooks[-1] == dict(
        type='rethink_det.MaskHook', checkpoint=source, part='backbone', redraw=redraw
    )
    with pytest.raises(UserError, match='masks'):
        adapt(detector, 'random', source, weights=None)


@pytest.mark.parametrize(
    'name, reason',
    [
        ('tridentnet/tridentnet_r50-caffe_1x_coco.py', 'three branches'),
        ('detectors/cascade-rcnn_r50-rfp_1x_coco.py', 'recursive feature pyramid'),
        ('cornernet/cornernet_hourglass104_8xb6-210e-mstest_coco.py', 'reads 4, 4'),
    ],
)
def test_a_backbone_that_is_part_of_the_detector_is_not_replaced(name, reason, pruned50):
    with pytest.raises(UserError, match=reason):
        adapt(mmdet_config(name), 'prune-c', pruned50)


def test_a_backbone_that_cannot_end_early_is_no_c4(tmp_path):
    config = mmdet_config('faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py')
    with pytest.raises(UserError, match='another family|num_stages=3 is needed'):
        adapt(config, 'random', 'resnet41-sss')


def test_a_detector_that_starts_from_a_trained_one_is_refused(coco, resnet, saved):
    config = Config(coco.to_dict() | dict(load_from='detector.pth'))
    with pytest.raises(UserError, match="load_from='detector.pth'.*Set load_from=None"):
        adapt(config, 'prune-c', saved(resnet()))


def test_what_another_family_means_by_strides_is_not_taken_over(pruned50):
    config = mmdet_config('mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py')
    swin = mmdet_config('swin/mask-rcnn_swin-t-p4-w7_fpn_1x_coco.py').model.backbone
    config.model.backbone = dict(swin, strides=(4, 2, 2, 2), init_cfg=None)
    new = adapt(config, 'prune-c', pruned50).model
    assert 'strides' not in new.backbone
    assert new.neck.in_channels == HALF
