"""Detectors as one graph: what mmdet predicts, and what onnxruntime does with it."""

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope

from rethink_det import UserError
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.trained_detector import trained_detector
from rethink_det.export.detector import (
    MASKS,
    OUTPUTS,
    THRESHOLD,
    farthest_detection,
    whole_detector,
)
from rethink_det.export.onnx import OnnxNetwork, to_onnx
from rethink_det.export.rcnn_graph import RCNNGraph
from rethink_det.registry import MODELS
from rethink_det.training.config import find_config, load_config

SIZE = (64, 96)
SHAPE = (3, *SIZE)


def config(kind='faster', **changes):
    found = load_config(find_config(f'detection/{kind}-rcnn_r18-w16_fpn_shapes.py'))
    found.merge_from_dict({f'model.{key}': value for key, value in changes.items()})
    return found


def detector(*arguments, **changes):
    """One that finds things of all sizes and classes, some of them for sure."""
    torch.manual_seed(0)
    settings = config(*arguments, **changes)
    built = trained_detector(settings, Checkpoint.from_dict(fresh(settings), 'fresh.pth')).eval()
    with torch.no_grad():
        built.roi_head.bbox_head.fc_cls.weight.normal_(0, 0.4)
        built.roi_head.bbox_head.fc_reg.weight.normal_(0, 0.1)
        built.rpn_head.rpn_cls.weight.normal_(0, 0.5)
        built.rpn_head.rpn_reg.weight.normal_(0, 0.3)
    return built


def fresh(settings):
    """Weights as they are drawn."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(settings.model).state_dict()


def image(seed):
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(1, *SHAPE, generator=generator)


@torch.no_grad()
def by_mmdet(model, images):
    sample = DetDataSample(metainfo=dict(img_shape=SIZE, ori_shape=SIZE, scale_factor=(1.0, 1.0)))
    return model.predict(images, [sample], rescale=False)[0].pred_instances


VARIANTS = {
    'plain': {},
    'class-agnostic boxes': {'roi_head.bbox_head.reg_class_agnostic': True},
    'a size that is too small': {'test_cfg.rpn.min_bbox_size': 12},
    'no limits': {'test_cfg.rpn.nms_pre': -1, 'test_cfg.rcnn.max_per_img': -1},
    'few': {'test_cfg.rpn.max_per_img': 5, 'test_cfg.rcnn.max_per_img': 3},
    'nothing': {'test_cfg.rcnn.score_thr': 0.9999},
}


@pytest.mark.parametrize('variant', VARIANTS)
def test_the_graph_detects_what_mmdet_does(variant):
    model = detector('faster', **VARIANTS[variant])
    graph = RCNNGraph(model, SIZE)
    for seed in range(2):
        expected = by_mmdet(model, image(seed))
        with torch.no_grad():
            boxes, scores, labels = graph(image(seed))
        assert (len(boxes) == 0) == (variant == 'nothing')
        torch.testing.assert_close(boxes, expected.bboxes, rtol=1e-5, atol=1e-4)
        torch.testing.assert_close(scores, expected.scores)
        assert labels.tolist() == expected.labels.tolist()


@pytest.mark.parametrize('agnostic', [False, True])
def test_masks_are_those_that_mmdet_pastes(agnostic):
    model = detector('mask', **{'roi_head.mask_head.class_agnostic': agnostic})
    with torch.no_grad():
        boxes, _, labels, masks = RCNNGraph(model, SIZE)(image(0))
        pasted = model.roi_head.mask_head._predict_by_feat_single(
            torch.logit(masks)[:, None].expand(-1, 1 if agnostic else 8, -1, -1),
            boxes,
            labels,
            dict(ori_shape=SIZE, scale_factor=(1.0, 1.0)),
            model.roi_head.test_cfg,
        )
    expected = by_mmdet(model, image(0)).masks
    assert expected.any() and not expected.all()
    assert (pasted != expected).float().mean() < 1e-3


@pytest.fixture(scope='module')
def exported():
    for module in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(module)
    whole = whole_detector(detector(), SHAPE)
    content, difference = to_onnx(whole)
    return whole, OnnxNetwork(content), difference


def test_onnxruntime_detects_what_pytorch_does(exported):
    whole, peer, difference = exported
    assert difference < 1e-4
    for seed in range(3):
        found, expected = peer.run(image(seed)), whole.run(image(seed))
        assert len(expected[0]) > 5
        assert [o.shape for o in found] == [o.shape for o in expected]
        assert farthest_detection(whole, peer, image(seed)) < 1e-4
    names = [output.name for output in peer.session.get_outputs()]
    assert names == list(OUTPUTS)


def test_the_threshold_may_be_given_even_one_that_nothing_reaches(exported):
    whole, peer, _ = exported
    _, scores, _ = peer.run(image(0))
    middle = scores.median().item()
    assert len(peer.run(image(0), **{THRESHOLD: middle})[0]) == int((scores > middle).sum())
    boxes, scores, labels = peer.run(image(0), **{THRESHOLD: 1.0})
    assert boxes.shape == (0, 4) and scores.shape == labels.shape == (0,)


class Shifted:
    """What onnxruntime puts out, changed a little."""

    def __init__(self, peer, change):
        self.peer, self.change = peer, change

    def run(self, images, **settings):
        return self.change(*self.peer.run(images, **settings))


@pytest.mark.parametrize(
    'change, least',
    [
        (lambda b, s, n: (b + 0.96, s, n), 0.009),
        (lambda b, s, n: (b, s - 0.01, n), 0.009),
        (lambda b, s, n: (b, s, (n + 1) % 8), 0.009),
        (lambda b, s, n: (b[1:], s[1:], n[1:]), 0.009),
        (lambda b, s, n: (b[:0], s[:0], n[:0]), float('inf')),
    ],
    ids=['boxes', 'scores', 'labels', 'one is missing', 'all are'],
)
def test_another_detection_is_a_difference(exported, change, least):
    whole, peer, _ = exported
    assert farthest_detection(whole, Shifted(peer, change), image(0)) >= least


def test_order_is_no_difference(exported):
    whole, peer, _ = exported
    turned = Shifted(peer, lambda *outputs: [output.flip(0) for output in outputs])
    assert farthest_detection(whole, turned, image(0)) < 1e-4


def test_where_nothing_is_found_the_threshold_is_lowered(exported):
    whole, peer, _ = exported
    with torch.no_grad():
        sure = whole.run(image(0))[1].max().item()
    seen = []

    class Watched:
        def run(self, images, **settings):
            seen.append(settings[THRESHOLD])
            return peer.run(images, **settings)

    strict = type(whole)(**{**vars(whole), 'settings': {THRESHOLD: min(sure * 1.01, 0.9999)}})
    assert farthest_detection(strict, Watched(), image(0)) < 1e-4
    assert seen == [pytest.approx(strict.settings[THRESHOLD] / 10)]


@pytest.mark.slow
def test_masks_are_exported():
    for module in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(module)
    whole = whole_detector(detector('mask'), SHAPE)
    peer = OnnxNetwork(to_onnx(whole)[0])
    assert [output.name for output in peer.session.get_outputs()] == [*OUTPUTS, MASKS]
    assert peer.run(image(0))[3].shape[1:] == (28, 28)
    assert peer.run(image(0), **{THRESHOLD: 1.0})[3].shape == (0, 28, 28)


@pytest.mark.parametrize(
    'changes, named',
    [
        ({'test_cfg.rcnn.nms': dict(type='soft_nms', iou_threshold=0.5)}, 'soft_nms'),
        ({'test_cfg.rpn.nms': dict(type='nms', iou_threshold=0.7, max_num=9)}, 'max_num'),
        ({'rpn_head.bbox_coder.clip_border': False}, 'DeltaXYWHBBoxCoder'),
        ({'roi_head.bbox_roi_extractor.type': 'GenericRoIExtractor'}, 'GenericRoIExtractor'),
        (
            {'roi_head.type': 'DoubleHeadRoIHead', 'roi_head.reg_roi_scale_factor': 1.3},
            'other head',
        ),
    ],
)
def test_what_mmdet_would_do_otherwise_is_refused(changes, named):
    settings = config(
        **{k: ConfigDict(v) if isinstance(v, dict) else v for k, v in changes.items()}
    )
    model = trained_detector(settings, Checkpoint.from_dict(fresh(settings), 'fresh.pth'))
    with pytest.raises(UserError, match=f'{named}.*--backbone'):
        whole_detector(model, SHAPE)


def test_weights_of_another_detector_are_refused():
    with pytest.raises(UserError, match=r'other\.pth does not fit the config.*no '):
        trained_detector(config('mask'), Checkpoint.from_dict(fresh(config()), 'other.pth'))


def test_a_config_without_backbone_is_refused():
    settings = config()
    settings.model = dict(type='mmengine.BaseDataPreprocessor')
    with pytest.raises(UserError, match='no detector'):
        trained_detector(settings, Checkpoint.from_dict({}, 'any.pth'))
