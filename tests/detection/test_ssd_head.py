"""SSD is evaluated, which mmdet's own head cannot be."""

import pytest
import torch
from mmengine.config import Config

from rethink_det.detection.transfer.evaluable import let_evaluate
from rethink_det.registered import build, scope_of
from rethink_det.registry import MODELS

HEAD = dict(
    type='SSDHead',
    in_channels=(8,),
    num_classes=3,
    anchor_generator=dict(
        type='SSDAnchorGenerator', scale_major=False, input_size=64,
        basesize_ratio_range=(0.2, 0.9),
        strides=[16], ratios=[[2]], min_sizes=[10], max_sizes=[20],
    ),
    test_cfg=dict(
        nms_pre=10, nms=dict(type='nms', iou_threshold=0.4), score_thr=0.02, max_per_img=5,
    ),
)  # fmt: skip


def predicted(head):
    with scope_of(Config(dict(default_scope='mmdet'))):
        built = build(MODELS, head)
    torch.manual_seed(0)
    built.init_weights()
    metas = [dict(img_shape=(64, 64), scale_factor=(1.0, 1.0))]
    maps = built([torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(0))])
    return built.predict_by_feat(*maps, batch_img_metas=metas)[0]


def test_it_has_the_boxes_that_its_own_cannot_give():
    with pytest.raises(AttributeError, match='loss_cls'):
        predicted(dict(HEAD))
    model = Config(dict(bbox_head=HEAD, default_scope='mmdet'))
    with scope_of(model):
        (change,) = let_evaluate(model)
    assert str(change).startswith('model.bbox_head.type: SSDHead -> rethink_det.EvaluatedSSDHead')
    found = predicted(model.bbox_head)
    assert len(found) == 5 and (found.scores > 0.02).all() and (found.labels < 3).all()


def test_other_heads_stay():
    model = Config(dict(bbox_head=dict(type='mmdet.RetinaHead'), default_scope='mmdet'))
    with scope_of(model):
        assert let_evaluate(model) == []
