"""Small detectors of mmdet that find something, and images for them."""

import torch
from mmengine.registry import DefaultScope

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.load_detector import load_detector
from rethink_det.registry import MODELS
from rethink_det.training.config import find_config, load_config

SIZE = (64, 96)
SHAPE = (3, *SIZE)


def config(kind='faster', **changes):
    settings = load_config(find_config(f'detection/{kind}-rcnn_r18-w16_fpn_shapes.py'))
    settings.merge_from_dict({f'model.{key}': value for key, value in changes.items()})
    return settings


def detector(*arguments, **changes):
    """One that finds things of all sizes and classes, some of them for sure."""
    torch.manual_seed(0)
    settings = config(*arguments, **changes)
    built = load_detector(settings, Checkpoint.from_dict(fresh(settings), 'fresh.pth')).eval()
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
