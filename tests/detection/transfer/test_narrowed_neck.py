"""Necks as wide inside as what they read: a pruned backbone changes what they read alone."""

import pytest
import torch
from mmengine.registry import DefaultScope

from rethink_det.architecture import Surgeon
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.provenance import Provenance
from rethink_det.arms import ARMS, DETECTION, Start
from rethink_det.detection import transfer_config
from rethink_det.detection.pruning import prune_detector
from rethink_det.detection.transfer.check_model import check_model
from rethink_det.detection.transfer.narrowed_neck import follows_inputs, narrowed_neck
from rethink_det.errors import UserError
from rethink_det.pruning import build_pruner
from rethink_det.registered import build, scope_of
from rethink_det.registry import MODELS
from rethink_det.transfer.neck_outputs import Reading
from tests.detection.transfer.adapting import adapt, adapted, mmdet_config

YOLOX = dict(type='mmdet.YOLOXPAFPN', in_channels=[8, 16, 32], out_channels=8, num_csp_blocks=1)
RTMDET = dict(
    type='mmdet.CSPNeXtPAFPN',
    in_channels=[8, 16, 32],
    out_channels=8,
    num_csp_blocks=1,
    expand_ratio=0.5,
)
FPN = dict(type='mmdet.FPN', in_channels=[8, 16, 32], out_channels=8, num_outs=4)
MAPPER = dict(type='mmdet.ChannelMapper', in_channels=[8, 16, 32], out_channels=8)
WHOLE, NARROW, STRIDES = [8, 16, 32], [5, 16, 20], [8, 16, 32]


@pytest.mark.parametrize('neck', [YOLOX, RTMDET, FPN], ids=lambda neck: neck['type'])
def test_it_computes_what_the_whole_one_does_of_maps_with_zeros(neck):
    torch.manual_seed(0)
    read = Reading(WHOLE, STRIDES, build(MODELS, neck)).eval()
    maps = [torch.randn(1, w, 320 // s, 320 // s) for w, s in zip(WHOLE, STRIDES, strict=True)]
    zeroed = [m.clone() for m in maps]
    for one, width in zip(zeroed, NARROW, strict=True):
        one[:, width:] = 0
    with torch.no_grad():
        expected = read.neck(tuple(zeroed))
    kept = {f'maps.{n}': range(w) for n, w in enumerate(NARROW) if w < WHOLE[n]}
    Surgeon(read, (3, 320, 320), prefix='backbone.').cut(kept)
    narrow = tuple(m[:, :w] for m, w in zip(maps, NARROW, strict=True))
    with torch.no_grad():
        found = read.neck(narrow)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    built = narrowed_neck(neck, WHOLE, NARROW, STRIDES)
    shapes = {n: t.shape for n, t in read.neck.state_dict().items()}
    assert {n: t.shape for n, t in built.state_dict().items()} == shapes
    assert [m.shape[1] for m in built(narrow)] == [m.shape[1] for m in expected]


def test_which_necks_are_others_at_other_widths():
    assert [follows_inputs(n, WHOLE, NARROW) for n in (YOLOX, RTMDET, FPN, MAPPER)] == [
        True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    'widths, strides', [([9, 16, 32], STRIDES), ([8, 16], STRIDES), (NARROW, [8, 16])]
)
def test_wider_maps_and_others_are_refused(widths, strides):
    with pytest.raises(UserError, match='no narrower ones'):
        narrowed_neck(YOLOX, WHOLE, widths, strides)


@pytest.fixture(
    params=['yolox/yolox_tiny_8xb8-300e_coco.py', 'rtmdet/rtmdet_tiny_8xb32-300e_coco.py']
)
def own(request):
    """A detector with a narrow backbone of its own, and a checkpoint of it."""
    config = mmdet_config(request.param)
    config.model.backbone.update(widen_factor=0.125, deepen_factor=0.167)
    config.model.backbone.pop('init_cfg', None)
    config.model.neck.in_channels = [32, 64, 128]
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        detector = build(MODELS, config.model)
    checkpoint = Checkpoint(
        state_dict=detector.state_dict(), architecture=None, provenance=Provenance.unknown(),
        input_convention=None, masks={}, initial=None, path='trained.pth',
    )  # fmt: skip
    return config, checkpoint


def test_what_pruning_a_detector_leaves_goes_into_its_config(own, tmp_path):
    config, checkpoint = own
    pruner = build_pruner(dict(type='L1NormPruner', ratios=0.4))
    result = prune_detector(config, checkpoint, pruner)
    result.architecture.save(tmp_path / 'small.json')
    before = config.pretty_text
    arm = ARMS.starting_from(Start.DETECTOR)
    new = transfer_config(config, ARMS.from_nothing(DETECTION), tmp_path / 'small.json').config
    assert config.pretty_text == before and arm.whole
    assert new.model.neck.type == 'rethink_det.NarrowedNeck'
    assert list(new.model.neck.whole) == [32, 64, 128]
    assert max(new.model.neck.widths) < 128
    check_model(new)
    with scope_of(new, 'mmdet'):
        model = build(MODELS, new.model)
    model.load_state_dict(result.state_dict)  # every tensor of the shape that pruning left it
    again = transfer_config(new, ARMS.from_nothing(DETECTION), tmp_path / 'small.json')
    assert again.config.model == new.model


def test_another_backbone_gives_the_neck_back_as_it_was(own, tmp_path):
    config, checkpoint = own
    pruner = build_pruner(dict(type='L1NormPruner', ratios=0.4))
    result = prune_detector(config, checkpoint, pruner)
    result.architecture.save(tmp_path / 'small.json')
    result.architecture.base.save(tmp_path / 'base.json')
    narrow = transfer_config(config, ARMS.from_nothing(DETECTION), tmp_path / 'small.json').config
    whole = adapt(narrow, 'random', str(tmp_path / 'base.json'), weights=None)
    assert whole.model.neck == config.model.neck


def test_heads_follow_a_neck_that_hands_its_inputs_on(pruned50):
    new = adapted(mmdet_config('ssd/ssd300_coco.py'), 'random', pruned50, weights=None)
    assert new.config.model.neck.type == 'rethink_det.NarrowedNeck'
    assert list(new.config.model.bbox_head.in_channels)[:3] == [256, 512, 512]
    with scope_of(new.config, 'mmdet'):
        model = build(MODELS, new.config.model)
    maps = model.extract_feat(torch.randn(1, 3, 300, 300))
    assert [m.shape[1] for m in maps] == list(new.config.model.bbox_head.in_channels)
    model.bbox_head(maps)
