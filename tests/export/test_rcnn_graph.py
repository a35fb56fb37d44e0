"""A detector as one graph detects what mmdet does."""

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict

from rethink_det import UserError
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.load_detector import load_detector
from rethink_det.export.rcnn_graph import RCNNGraph
from tests.small_detectors import SIZE, config, detector, fresh, image


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
    model = load_detector(settings, Checkpoint.from_dict(fresh(settings), 'fresh.pth'))
    with pytest.raises(UserError, match=f'{named}.*--backbone'):
        RCNNGraph(model, SIZE)
