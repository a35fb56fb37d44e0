"""What a detector costs is counted right, whatever it is built of, with weights or without."""

from copy import deepcopy

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.cost import count
from rethink_det.arms import ARMS, DETECTION
from rethink_det.detection import transfer_config
from rethink_det.detection.measuring.cost import backbone_cost, detector_cost
from rethink_det.errors import UserError
from rethink_det.registry import MODELS
from rethink_det.training.config import load_config
from tests.small_detectors import SHAPE, config
from tests.tiny_detector import ARCHITECTURE, write_mask_rcnn

RANDOM = ARMS.get(DETECTION, 'random')


def by_hooks(settings, shape, regions, masks=0):
    """Multiply-adds of a real pass, layer by layer as the hooks of modules see it."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        detector = MODELS.build(settings.model).eval()
    found = []

    def see(layer, inputs, output):
        found.append(output.numel() * layer.weight[0].numel())
        if isinstance(layer, nn.ConvTranspose2d):
            found[-1] = inputs[0].numel() * layer.weight[0].numel()

    for layer in detector.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            layer.register_forward_hook(see)
    with torch.no_grad():
        maps = detector.extract_feat(torch.zeros(1, *shape))
        if not regions:
            detector.bbox_head(maps)
            return sum(found)
        detector.rpn_head(maps)
        rois = torch.tensor([[0.0, 0, 0, 20, 20]]).repeat(regions, 1)
        detector.roi_head._bbox_forward(maps, rois)
        if masks:
            detector.roi_head._mask_forward(maps, rois[:masks])
    return sum(found)


def test_a_detector_of_two_stages_is_counted_at_the_most_regions_that_it_may_look_at():
    settings = config()
    settings.model.test_cfg.rpn.max_per_img = 37
    cost = detector_cost(settings, SHAPE)
    assert cost.regions == 37
    assert cost.whole.macs == by_hooks(settings, SHAPE, 37)
    assert cost.idle == ()
    with DefaultScope.overwrite_default_scope('mmdet'):
        detector = MODELS.build(settings.model)
    assert cost.whole.params == sum(p.numel() for p in detector.parameters())
    assert cost.backbone.params == sum(p.numel() for p in detector.backbone.parameters())


def test_so_are_its_masks():
    settings = config('mask')
    settings.model.test_cfg.rpn.max_per_img = 30
    settings.model.test_cfg.rcnn.max_per_img = 7
    assert detector_cost(settings, SHAPE).whole.macs == by_hooks(settings, SHAPE, 30, 7)


def test_the_size_is_that_of_a_test_image_unless_it_is_said(tmp_path):
    settings, _ = write_mask_rcnn(tmp_path)
    cost = detector_cost(settings)
    assert cost.whole.input_shape == (3, 128, 128)
    assert cost == detector_cost(settings, (3, 128, 128))


def test_the_backbone_in_it_is_counted_as_by_itself():
    pruned = PrunedArchitecture.from_dict(
        {**ARCHITECTURE.to_dict(), 'channels': {'layer1.0.conv1': 3, 'layer4.1.conv1': 10}}
    )
    settings = config()
    before = detector_cost(settings, SHAPE)
    settings.model.backbone = dict(
        type='rethink_det.PrunedBackbone', architecture=pruned.to_dict(), out_indices=(0, 1, 2, 3)
    )
    cost = detector_cost(settings, SHAPE)
    own, whole = backbone_cost(pruned, SHAPE), backbone_cost(ARCHITECTURE, SHAPE)
    assert (cost.backbone.params, cost.backbone.macs) == (own.params, own.macs)
    assert (before.backbone.params, before.backbone.macs) == (whole.params, whole.macs)
    saved = whole.macs - own.macs
    assert saved > 0 and before.whole.macs - cost.whole.macs == saved


def test_what_a_mask_removes_is_not_counted():
    kept = {'backbone.layer1.0.conv1.weight': 100, 'head.fc.weight': 5}
    masked = {**ARCHITECTURE.to_dict(), 'masks': dict(digest='ab', kept=kept)}
    settings = config()
    settings.model.backbone = dict(
        type='rethink_det.PrunedBackbone', architecture=masked, out_indices=(0, 1, 2, 3)
    )
    cost, dense = detector_cost(settings, SHAPE), detector_cost(config(), SHAPE)
    gone, places = 16 * 16 * 9 - 100, SHAPE[1] // 4 * (SHAPE[2] // 4)
    assert dense.whole.params - cost.whole.params == gone
    assert dense.backbone.params - cost.backbone.params == gone
    assert dense.whole.macs - cost.whole.macs == pytest.approx(gone * places, abs=1)


FROZEN = 3 * 64 * 49 + 128 + 215_808
"""Parameters of the stem and the first stage of ResNet-50, which mmdet's documents leave out."""


@pytest.mark.parametrize(
    'name, params, macs',
    [
        # As mmdet's get_flops.py has them of 1280x800 (docs/en/user_guides/useful_tools.md and
        # the pages of the models); it counts normalisation, too.
        ('retinanet/retinanet_r50_fpn_1x_coco.py', 37.74e6, 239.32e9),
        ('faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', 41.53e6, 207.07e9),
    ],
)
def test_published_counts_come_out(name, params, macs):
    cost = detector_cost(load_config(f'mmdet::{name}'), (3, 800, 1280))
    assert cost.whole.params - FROZEN == pytest.approx(params, abs=5e3)
    assert cost.whole.macs == pytest.approx(macs, rel=0.01)


def test_the_pruned_architecture_of_an_arm_is_counted_before_anything_is_trained():
    settings = load_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py')
    small = transfer_config(settings, RANDOM, 'resnet50-thinet-50').config
    drawn = torch.random.get_rng_state()
    cost, before = (detector_cost(one, (3, 64, 64)) for one in (small, settings))
    assert torch.equal(torch.random.get_rng_state(), drawn)
    own = PrunedArchitecture.load('resnet50-thinet-50')
    assert cost.backbone.macs == backbone_cost(own, (3, 64, 64)).macs
    assert before.whole.macs - before.backbone.macs == cost.whole.macs - cost.backbone.macs


def test_deformable_convolutions_count_as_convolutions():
    plain = config(**{'backbone.depth': 50, 'neck.in_channels': [64, 128, 256, 512]})
    deformed = deepcopy(plain)
    deformed.model.backbone.update(
        dcn=dict(type='DCNv2', deform_groups=1, fallback_on_stride=False),
        stage_with_dcn=(False, False, False, True),
    )
    cost, without = (detector_cost(one, SHAPE) for one in (deformed, plain))
    # Besides there are the convolutions that tell where to look, in each of three blocks.
    added = cost.backbone.macs - without.backbone.macs
    places = SHAPE[1] // 32 * (SHAPE[2] // 32)
    assert added == 3 * places * 27 * 9 * 128


def test_attention_is_counted_however_it_is_computed():
    class Attentive(nn.Module):
        def __init__(self):
            super().__init__()
            self.project = nn.Conv2d(3, 8, 1)

        def forward(self, images):
            tokens = self.project(images).flatten(2).transpose(1, 2)[:, None]
            return nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)

    for device in ('cpu', 'meta'):
        cost = count(Attentive().to(device), (3, 4, 4))
        assert cost.macs_linear == 2 * 16 * 16 * 8
        assert cost.macs_conv == 16 * 3 * 8


def test_what_is_no_detector_is_refused():
    head = dict(type='rethink_det.LinearHead', num_classes=2, in_channels=3)
    with pytest.raises(UserError, match='no detector: it has no model.backbone'):
        detector_cost(Config(dict(model=head)), SHAPE)


def test_what_cannot_run_is_refused():
    with pytest.raises(UserError, match=r'cannot run on an input of \(1, 64, 96\)'):
        detector_cost(config(), (1, *SHAPE[1:]))
