"""Another backbone in a detector's config: everything else stays, and it computes the same."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.arms import ARMS, DETECTION, Start
from rethink_det.detection import transfer_config
from rethink_det.errors import UserError
from rethink_det.training.config import load_config
from tests.detection.backbones import architecture, write_classifier

CONFIGS = Path(__file__).resolve().parents[3] / 'configs' / 'detection'
CLASSIFIERS = [arm.name for arm in ARMS.of(DETECTION) if arm.start is Start.CLASSIFIER]
SIDE = 128


@pytest.fixture(scope='module')
def detector():
    """Faster R-CNN with a ResNet-18 of base width 16."""
    return load_config(CONFIGS / 'faster-rcnn_r18-w16_fpn_shapes.py')


@pytest.fixture(scope='module')
def coco():
    """Faster R-CNN with the usual ImageNet settings: first stage frozen, BatchNorm kept."""
    narrow = {'depth': 18, 'base_channels': 16, 'zero_init_residual': False}
    config = load_config(CONFIGS / 'faster-rcnn_r34_fpn_1x_coco.py')
    config.model.backbone.update(narrow)
    config.model.neck.in_channels = [16, 32, 64, 128]
    return config


@pytest.fixture(scope='module')
def resnet():
    """Makes an architecture of the detector's backbone."""

    def make(**channels):
        return PrunedArchitecture(
            dict(type='mmdet.ResNet', depth=18, base_channels=16, zero_init_residual=False),
            dict(type='rethink_det.LinearHead', num_classes=8),
            (3, 32, 32),
            {layer.replace('_', '.'): kept for layer, kept in channels.items()},
        )

    return make


@pytest.fixture
def saved(tmp_path):
    """Writes the checkpoint of a classifier of an architecture."""

    def save(architecture, name='classifier.pth', **meta):
        state = architecture.build_network().state_dict()
        meta = {'architecture': architecture.to_dict(), **meta}
        save_checkpoint({'meta': meta, 'state_dict': state}, tmp_path / name)
        return str(tmp_path / name)

    return save


def build(config):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(config.model).eval()


def adapted(config, arm, shape, **options):
    """As the command line does it: one file for the shape and the weights."""
    weights = options.pop('weights', shape)
    return transfer_config(config, ARMS.get(DETECTION, arm), shape, weights, **options)


def adapt(*arguments, **options):
    """The config alone."""
    return adapted(*arguments, **options).config


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


@pytest.mark.parametrize('arm', CLASSIFIERS)
def test_runtime_settings_stay_where_weights_are_transferred(coco, arm, resnet, saved):
    source = saved(resnet())
    config = adapt(coco, arm, source)
    for key in ('frozen_stages', 'norm_eval', 'out_indices', 'norm_cfg'):
        assert config.model.backbone[key] == coco.model.backbone[key], key
    assert config.custom_hooks[-1].checkpoint == source


def test_initializer_of_the_old_backbone_is_dropped(coco, resnet, saved):
    assert coco.model.backbone.init_cfg.type == 'Pretrained'
    config = adapt(coco, 'prune-c', saved(resnet()))
    assert not {'init_cfg', 'pretrained', 'depth'} & set(config.model.backbone)


def test_random_arm_loads_nothing_and_freezes_nothing(coco, resnet, saved):
    assert coco.model.backbone.frozen_stages == 1
    config = adapt(coco, 'random', saved(resnet(layer1_0_conv1=5)))
    assert 'checkpoint' not in config.custom_hooks[-1]
    assert config.model.backbone.frozen_stages == -1
    assert config.model.backbone.norm_eval is False
    backbone = build(config).backbone
    backbone.train()
    assert all(parameter.requires_grad for parameter in backbone.parameters())
    assert backbone.bn1.training


@pytest.mark.parametrize('architecture', ['resnet50-thinet-30', 'resnet50-2x'])
def test_a_backbone_that_a_function_builds_is_trained_as_the_arm_says(architecture):
    config = mmdet_config('faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py')
    backbone = adapt(config, 'random', architecture, weights=None).model.backbone
    assert (backbone.frozen_stages, backbone.norm_eval) == (-1, False)
    built = MODELS.build(backbone)
    built.train()
    assert built.bn1.training
    assert built.layer1[0].downsample[0].bias.requires_grad


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


def mmdet_config(name):
    return load_config(f'mmdet::{name}')


@pytest.fixture(scope='module')
def pruned50(tmp_path_factory):
    """The checkpoint of a ResNet-50, pruned in its outputs."""
    keep = {f'layer{stage}.0.conv3': 0.5 for stage in (1, 2, 3, 4)}
    return str(write_classifier(tmp_path_factory.mktemp('pruned') / '50.pth', keep))


HALF = [128, 256, 512, 1024]


@pytest.mark.parametrize(
    'name, where, widths',
    [
        ('libra_rcnn/libra-faster-rcnn_r50_fpn_1x_coco.py', 'neck.0.in_channels', HALF),
        ('detr/detr_r50_8xb2-150e_coco.py', 'neck.in_channels', HALF[3:]),
        ('yolof/yolof_r50-c5_8xb8-1x_coco.py', 'neck.in_channels', 1024),
        ('mask2former/mask2former_r50_8xb2-lsj-50e_coco.py', 'panoptic_head.in_channels', HALF),
        # Deepest first, and of a MobileNetV2, whose indices mean other stages.
        ('yolo/yolov3_mobilenetv2_8xb24-320-300e_coco.py', 'neck.in_channels', HALF[:0:-1]),
        ('yolox/yolox_s_8xb8-300e_coco.py', 'neck.in_channels', HALF[1:]),
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


def test_style_and_normalisation_are_those_of_the_weights(coco, resnet, saved):
    config = Config(coco.to_dict())
    config.model.backbone.update(style='caffe', norm_cfg=dict(type='GN', num_groups=8))
    found = adapted(config, 'prune-c', saved(resnet()))
    new, lines = found.config.model.backbone, list(map(str, found.changes))
    assert 'style' not in new
    assert new.norm_cfg == dict(type='BN', requires_grad=True)
    assert 'model.backbone.style: caffe -> pytorch, as the architecture has it' in lines
    assert 'model.backbone.norm_cfg.type: GN -> BN, as the architecture has it' in lines


@pytest.mark.parametrize('arm, trained', [('prune-c', False), ('random', True)])
def test_batchnorm_is_trained_where_it_has_no_statistics(coco, resnet, saved, arm, trained):
    config = Config(coco.to_dict())
    config.model.backbone.norm_cfg = dict(type='BN', requires_grad=False)
    backbone = build(adapt(config, arm, saved(resnet()))).backbone
    backbone.train()
    assert backbone.layer4[0].bn1.training == trained
    assert backbone.layer4[0].bn1.weight.requires_grad == trained
    assert backbone.conv1.weight.requires_grad == trained


@pytest.mark.parametrize('arm, kept', [('prune-c', True), ('random', False)])
def test_shared_head_follows_the_arm_too(arm, kept, pruned50):
    config = mmdet_config('faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py')
    new = adapt(config, arm, pruned50)
    shared = new.model.roi_head.shared_head
    assert shared.norm_eval == kept and shared.norm_cfg.requires_grad == (not kept)
    assert 'init_cfg' not in shared  # its ImageNet weights
    assert ('rest' in new.custom_hooks[-1]) == kept
    assert new.model.roi_head.bbox_head.in_channels == 1024


def test_sync_bn_stays(coco, resnet, saved):
    config = Config(coco.to_dict())
    config.model.backbone.norm_cfg = dict(type='SyncBN', requires_grad=True)
    new = adapt(config, 'prune-c', saved(resnet(layer1_0_conv2=12)))
    assert isinstance(build(new).backbone.bn1, torch.nn.SyncBatchNorm)


RGB = dict(channels='rgb', mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0])
BGR = RGB | dict(channels='bgr')


@pytest.mark.parametrize('arm', ['prune-c', 'random'])
@pytest.mark.parametrize('convention, swapped', [(RGB, True), (BGR, False)])
def test_images_are_normalised_as_the_classifiers_were(
    coco, resnet, saved, arm, convention, swapped
):
    found = adapted(coco, arm, saved(resnet(), input_convention=convention))
    new = found.config.model.data_preprocessor
    assert (new.mean, new.std, new.bgr_to_rgb) == (RGB['mean'], RGB['std'], swapped)
    assert new.pad_size_divisor == 32 and new.type == 'DetDataPreprocessor'
    (line,) = map(str, found.changes)
    assert 'model.data_preprocessor: RGB, mean 123.675' in line
    assert f'{convention["channels"].upper()}, mean 1, 2, 3' in line


def test_the_same_normalisation_is_not_mentioned(coco, resnet, saved):
    old = coco.model.data_preprocessor
    source = saved(resnet(), input_convention=RGB | dict(mean=old.mean, std=old.std))
    found = adapted(coco, 'prune-c', source)
    assert found.config.model.data_preprocessor == old
    assert found.changes == ()


def test_an_unknown_normalisation_changes_nothing(coco, resnet, saved):
    new = adapt(coco, 'prune-c', saved(resnet()))
    assert new.model.data_preprocessor == coco.model.data_preprocessor
    assert adapt(coco, 'random', 'resnet34-a').model.data_preprocessor == (
        coco.model.data_preprocessor
    )


def test_the_hooks_of_an_earlier_transfer_go(coco, resnet, saved):
    once = adapt(coco, 'random', saved(resnet()))
    twice = adapt(once, 'prune-c', saved(resnet()))
    assert [hook.arm for hook in twice.custom_hooks] == ['prune-c']


@pytest.mark.parametrize('model', [None, {}, dict(type='rethink_det.Classifier')])
def test_config_that_is_no_detector_is_refused(model):
    with pytest.raises(UserError, match='no detector: it has no model.backbone'):
        adapt(Config(dict(model=model)), 'random', 'resnet34-a')


def test_unknown_arm_lists_the_known_ones():
    with pytest.raises(UserError, match="'prune-x'.*unpruned, prune-c, prune-d, scratch-e"):
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
        ('dcn/faster-rcnn_r50-dconv-c3-c5_fpn_1x_coco.py', r'deformable convolutions \(dcn\)'),
        ('gcnet/mask-rcnn_r50-gcb-r4-c3-c5_fpn_1x_coco.py', r'has plugins \(plugins\)'),
        ('tridentnet/tridentnet_r50-caffe_1x_coco.py', 'three branches'),
        ('detectors/cascade-rcnn_r50-sac_1x_coco.py', 'switchable atrous'),
        ('detectors/cascade-rcnn_r50-rfp_1x_coco.py', 'recursive feature pyramid'),
        ('ssd/ssd300_coco.py', 'reads the strides 8, 16 only. Layer layer4.0.conv3'),
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


def test_weight_masks_have_no_place_in_a_shared_head(saved, tmp_path):
    whole = architecture(18)
    mask = torch.ones(64, 64, 3, 3, dtype=torch.bool)
    mask[0] = False
    source = saved(whole.after(Cut(masks={'backbone.layer1.0.conv1.weight': mask})))
    config = mmdet_config('faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py')
    with pytest.raises(UserError, match='masks cannot follow'):
        adapt(config, 'prune-c', source)


def test_a_detector_that_starts_from_a_trained_one_is_refused(coco, resnet, saved):
    config = Config(coco.to_dict() | dict(load_from='detector.pth'))
    with pytest.raises(UserError, match="load_from='detector.pth'.*Set load_from=None"):
        adapt(config, 'prune-c', saved(resnet()))


def test_a_detector_inside_another_model_is_refused(coco, resnet, saved):
    config = Config(dict(model=dict(type='SoftTeacher', detector=coco.model)))
    with pytest.raises(UserError, match='model.detector wraps one'):
        adapt(config, 'prune-c', saved(resnet()))


def test_a_neck_that_cannot_be_told_its_widths_is_refused(detector, resnet, saved):
    config = Config(detector.to_dict())
    del config.model.neck['in_channels']
    with pytest.raises(UserError, match='model.neck .FPN. has no in_channels'):
        adapt(config, 'random', saved(resnet(layer1_0_conv2=12)))


@pytest.mark.parametrize(
    'name, reason',
    [
        ('rtmdet/rtmdet_l_swin_b_4xb32-100e_coco.py', 'must be divisible'),
        ('ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py', 'AssertionError'),
    ],
)
def test_a_neck_that_cannot_be_built_for_the_widths_is_refused(name, reason, tmp_path):
    keep = {f'layer{stage}.0.conv3': 0.7 for stage in (2, 3, 4)}
    source = str(write_classifier(tmp_path / 'odd.pth', keep))
    with pytest.raises(UserError, match=rf'model.neck .* cannot be built .* wide: .*{reason}'):
        adapt(mmdet_config(name), 'prune-c', source)


def test_what_another_family_means_by_strides_is_not_taken_over(pruned50):
    config = mmdet_config('mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py')
    swin = mmdet_config('swin/mask-rcnn_swin-t-p4-w7_fpn_1x_coco.py').model.backbone
    config.model.backbone = dict(swin, strides=(4, 2, 2, 2), init_cfg=None)
    new = adapt(config, 'prune-c', pruned50).model
    assert 'strides' not in new.backbone
    assert new.neck.in_channels == HALF


def test_a_head_of_an_unrelated_width_is_refused(pruned50):
    config = mmdet_config('faster_rcnn/faster-rcnn_r50-caffe-dc5_1x_coco.py')
    config.model.rpn_head.in_channels = 77
    with pytest.raises(UserError, match='model.rpn_head.in_channels is 77, which is not the width'):
        adapt(config, 'prune-c', pruned50)
