"""Another backbone in a detector's config: everything else stays, and it computes the same."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.detection import TRANSFER_ARMS, get_transfer_arm, transfer_config
from rethink_det.errors import UserError
from rethink_det.training.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'detection'
WITH_WEIGHTS = [name for name, arm in TRANSFER_ARMS.items() if arm.source]
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
    """Writes an architecture to a file."""

    def save(architecture):
        architecture.save(tmp_path / 'architecture.json')
        return str(tmp_path / 'architecture.json')

    return save


def build(config):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(config.model).eval()


def adapt(config, arm, shape, weights='weights.pth'):
    return transfer_config(config, get_transfer_arm(arm), shape, weights)


@pytest.mark.parametrize('arm', TRANSFER_ARMS)
def test_everything_but_the_backbone_is_kept(coco, arm, resnet, saved):
    before = coco.to_dict()
    new = adapt(coco, arm, saved(resnet(layer1_0_conv1=5))).to_dict()
    assert coco.to_dict() == before  # the given config is left alone
    hook = new.pop('custom_hooks')[-1]
    backbone = new['model'].pop('backbone')
    before.pop('custom_hooks', None)
    before['model'].pop('backbone')
    assert new == before
    assert backbone['type'] == 'rethink_det.PrunedBackbone'
    assert hook['type'] == 'rethink_det.TransferHook'
    assert hook['arm'] == arm


def test_hooks_of_the_config_stay_before_the_transfer(detector, resnet, saved):
    config = Config({**detector.to_dict(), 'custom_hooks': [dict(type='EMAHook')]})
    hooks = [hook.type for hook in adapt(config, 'random', saved(resnet())).custom_hooks]
    assert hooks == ['EMAHook', 'rethink_det.TransferHook']


@pytest.mark.parametrize('arm', WITH_WEIGHTS)
def test_runtime_settings_stay_where_weights_are_transferred(coco, arm, resnet, saved):
    config = adapt(coco, arm, saved(resnet()), 'parent.pth')
    for key in ('frozen_stages', 'norm_eval', 'out_indices'):
        assert config.model.backbone[key] == coco.model.backbone[key], key
    assert config.custom_hooks[-1].checkpoint == 'parent.pth'


def test_initializer_of_the_old_backbone_is_dropped(coco, resnet, saved):
    assert coco.model.backbone.init_cfg.type == 'Pretrained'
    config = adapt(coco, 'prune-c', saved(resnet()))
    assert not {'init_cfg', 'pretrained', 'depth'} & set(config.model.backbone)


def test_random_arm_loads_nothing_and_freezes_nothing(coco, resnet, saved):
    assert coco.model.backbone.frozen_stages == 1
    config = adapt(coco, 'random', saved(resnet(layer1_0_conv1=5)), 'weights.pth')
    assert 'checkpoint' not in config.custom_hooks[-1]
    assert config.model.backbone.frozen_stages == -1
    assert config.model.backbone.norm_eval is False
    backbone = build(config).backbone
    backbone.train()
    assert all(parameter.requires_grad for parameter in backbone.parameters())
    assert backbone.bn1.training


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


@torch.no_grad()
def test_unpruned_backbone_computes_what_the_plain_detector_computes(
    detector, resnet, tmp_path, unsettle
):
    plain = Config(detector.to_dict())
    plain.model.test_cfg.rcnn.score_thr = 0.0  # untrained: let detections through
    torch.manual_seed(0)
    original = unsettle(build(plain))
    head = dict.fromkeys(['head.fc.weight'], torch.zeros(8, 128)) | {'head.fc.bias': torch.zeros(8)}
    state = {f'backbone.{n}': t for n, t in original.backbone.state_dict().items()} | head
    checkpoint = tmp_path / 'parent.pth'
    meta = {'architecture': resnet().to_dict()}
    save_checkpoint({'meta': meta, 'state_dict': state}, checkpoint)

    config = adapt(plain, 'unpruned', str(checkpoint), str(checkpoint))
    adapted = build(config)
    assert type(adapted.backbone) is type(original.backbone)
    inherited = PrunedArchitecture.load(checkpoint).inherit(state)
    adapted.load_state_dict(original.state_dict())
    adapted.backbone.load_state_dict(
        {n.removeprefix('backbone.'): t for n, t in inherited.items() if n.startswith('backbone.')}
    )

    image = torch.randint(0, 256, (3, SIDE, SIDE), dtype=torch.uint8)
    mine, theirs = (features_and_boxes(model, image) for model in (adapted, original))
    assert len(theirs[1]) > 0
    for a, b in zip(mine[0], theirs[0], strict=True):
        assert torch.equal(a, b)
    for key in ('bboxes', 'scores', 'labels'):
        assert torch.equal(getattr(mine[1], key), getattr(theirs[1], key))


def features_and_boxes(model, image):
    """Feature maps of the backbone, and the predictions for one image."""
    from mmdet.structures import DetDataSample

    side = (SIDE, SIDE)
    sample = DetDataSample(
        metainfo=dict(img_shape=side, ori_shape=side, pad_shape=side, scale_factor=(1.0, 1.0))
    )
    data = model.data_preprocessor(dict(inputs=[image], data_samples=[sample]))
    maps = model.backbone(data['inputs'])
    return maps, model(**data, mode='predict')[0].pred_instances


@pytest.mark.parametrize('model', [None, {}, dict(type='rethink_det.Classifier')])
def test_config_that_is_no_detector_is_refused(model):
    with pytest.raises(UserError, match='no detector: it has no model.backbone'):
        adapt(Config(dict(model=model)), 'random', 'resnet34-a')


def test_unknown_arm_lists_the_known_ones():
    with pytest.raises(UserError, match="'prune-x'.*unpruned, prune-c, scratch-e, scratch-b, rand"):
        get_transfer_arm('prune-x')


def test_neck_of_other_levels_is_refused(detector, resnet, saved):
    config = Config(detector.to_dict())
    config.model.neck.in_channels = [16, 32, 64]
    with pytest.raises(UserError, match='neck reads 3 feature maps, the backbone gives 4'):
        adapt(config, 'random', saved(resnet()))


def test_unknown_architecture_is_refused(detector):
    with pytest.raises(UserError, match="No architecture 'resnet34-z'.*resnet34-a"):
        adapt(detector, 'random', 'resnet34-z')


def test_backbone_of_another_family_is_refused(detector):
    with pytest.raises(UserError, match='neck|CifarResNet'):
        adapt(detector, 'random', 'resnet56-a')


def test_weights_are_required_by_arms_that_have_a_source(detector, resnet, saved):
    with pytest.raises(UserError, match='prune-c.*checkpoint'):
        adapt(detector, 'prune-c', saved(resnet()), None)


@pytest.mark.parametrize('arm, redraw', [('prune-c', False), ('random', True)])
def test_weight_masks_come_along(detector, arm, redraw, resnet, saved):
    mask = torch.ones(16, 16, 3, 3, dtype=torch.bool)
    mask[0] = False
    masked = resnet().after(Cut(masks={'backbone.layer1.0.conv1.weight': mask}))
    config = adapt(detector, arm, saved(masked), 'pruned.pth')
    assert config.custom_hooks[-1] == dict(
        type='rethink_det.MaskHook', checkpoint='pruned.pth', part='backbone', redraw=redraw
    )
    with pytest.raises(UserError, match='masks'):
        adapt(detector, 'random', saved(masked), None)
