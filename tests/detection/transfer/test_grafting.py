"""Deformable convolutions and plugins of a detector's config in a pruned ResNet."""

import pytest
import torch
from mmcv.ops import DeformConv2dPack, ModulatedDeformConv2dPack, SAConv2d

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.architecture.grafting import grafted
from rethink_det.detection.transfer.check_model import check_model
from rethink_det.errors import UserError
from rethink_det.registered import build, scope_of
from rethink_det.registry import HOOKS, MODELS
from tests.detection.transfer.adapting import adapt, mmdet_config

DCN = 'dcn/faster-rcnn_r50-dconv-c3-c5_fpn_1x_coco.py'
DCN2 = 'dcnv2/faster-rcnn_r50-mdconv-c3-c5_fpn_1x_coco.py'
BLOCKS = 'gcnet/mask-rcnn_r50-gcb-r4-c3-c5_fpn_1x_coco.py'
ATTENTION = 'empirical_attention/faster-rcnn_r50-attn0010_fpn_1x_coco.py'
DETECTORS = 'detectors/detectors_cascade-rcnn_r50_1x_coco.py'
SMALL = 'resnet50-thinet-50'


def backbone_of(name, arm='random', source=SMALL, **options):
    config = adapt(mmdet_config(name), arm, source, **options)
    check_model(config)
    with scope_of(config, 'mmdet'):
        return config, build(MODELS, config.model).backbone


@pytest.mark.parametrize('name, kind', [(DCN, DeformConv2dPack), (DCN2, ModulatedDeformConv2dPack)])
def test_the_second_convolutions_are_deformable_at_the_widths_that_are_left(name, kind):
    _, backbone = backbone_of(name, weights=None)
    for stage, widths in (('layer1', None), ('layer2', 64), ('layer3', 128), ('layer4', 256)):
        for block in getattr(backbone, stage):
            assert isinstance(block.conv2, kind) == (widths is not None)
            if widths:
                assert block.conv2.out_channels == block.conv1.out_channels == widths
    assert {n.split('.')[-2] for n in grafted(backbone)} == {'conv_offset'}


@pytest.mark.parametrize(
    'name, layer', [(BLOCKS, 'context_block'), (ATTENTION, 'gen_attention_block')]
)
def test_plugins_stand_where_the_config_says(name, layer):
    config, backbone = backbone_of(name, weights=None)
    (plugin,) = config.model.backbone.plugins
    for number, stage in enumerate(backbone.res_layers):
        here = [hasattr(block, layer) for block in getattr(backbone, stage)]
        assert all(here) if plugin['stages'][number] else not any(here)
    backbone.eval()
    with torch.no_grad():
        maps = backbone(torch.zeros(1, 3, 64, 64))
    assert [m.shape[1] for m in maps] == [256, 512, 1024, 2048]


def test_switchable_convolutions_and_the_image_are_those_of_the_config():
    config, backbone = backbone_of(DETECTORS, weights=None)
    for stage in backbone.res_layers:
        switchable = [isinstance(block.conv2, SAConv2d) for block in getattr(backbone, stage)]
        assert all(switchable) if stage != 'layer1' else not any(switchable)
    images = torch.randn(1, 3, 128, 128)
    backbone.eval()
    with torch.no_grad():
        image, *maps = backbone(images)
    assert image is images and [m.shape[1] for m in maps] == [256, 512, 1024, 2048]
    assert config.model.neck.in_channels == [256, 512, 1024, 2048]


def test_a_recursive_pyramid_is_refused_where_maps_are_narrower(tmp_path):
    file = tmp_path / 'narrow.json'
    whole = PrunedArchitecture.load('resnet50')
    whole.after(Cut(channels={'layer4.0.conv3': 1024}, coupled=True)).save(file)
    with pytest.raises(UserError, match='rfp_backbone is a second backbone'):
        backbone_of(DETECTORS, source=str(file), weights=None)


def test_the_weights_of_a_classifier_arrive_and_offsets_keep_their_own(pruned50):
    config, _ = backbone_of(DCN, 'prune-c', pruned50)
    with scope_of(config, 'mmdet'):
        model, hook = build(MODELS, config.model), build(HOOKS, config.custom_hooks[-1])
    hook.check(model)
    wanted = torch.load(pruned50, weights_only=True)['state_dict']
    own = model.backbone.state_dict()
    assert {n for n in own if f'backbone.{n}' not in wanted} == grafted(model.backbone)
    assert all(
        torch.equal(own[n], wanted[f'backbone.{n}']) for n in own.keys() - grafted(model.backbone)
    )
    # Offsets start at 0: it computes what the classifier's backbone does.
    plain = PrunedArchitecture.load(pruned50).build()
    plain.load_state_dict({n: t for n, t in own.items() if n not in grafted(model.backbone)})
    images = torch.randn(1, 3, 64, 64)
    model.backbone.eval()
    plain.eval()
    with torch.no_grad():
        pairs = zip(model.backbone(images), plain(images), strict=True)
        for one, other in pairs:
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_a_missing_tensor_of_the_classifier_is_refused_as_ever(pruned50, tmp_path):
    content = torch.load(pruned50, weights_only=True)
    del content['state_dict']['backbone.layer2.0.conv2.weight']
    torch.save(content, tmp_path / 'torn.pth')
    with pytest.raises(UserError, match=r'has no layer2\.0\.conv2\.weight'):
        backbone_of(DCN, 'prune-c', str(tmp_path / 'torn.pth'))


def test_groups_that_do_not_divide_the_widths_are_refused():
    config = mmdet_config(DCN)
    config.model.backbone.dcn.deform_groups = 7
    with pytest.raises(
        UserError, match=r'dcn cannot be put into layer2\.0.*not divisible by deform_groups=7'
    ):
        adapt(config, 'random', SMALL, weights=None)


def test_blocks_of_two_convolutions_take_none():
    with pytest.raises(UserError, match=r'deformable convolutions \(dcn\)'):
        adapt(mmdet_config(DCN), 'random', 'resnet34-a', weights=None)
