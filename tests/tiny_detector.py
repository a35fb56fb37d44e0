"""A small Mask R-CNN on embedded shapes, with fresh weights: its config and its checkpoint."""

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.datasets.shapes import build_shapes
from rethink_det.training.config import find_config, load_config

RESNET = dict(type='mmdet.ResNet', depth=18, base_channels=16)
HEAD = dict(type='rethink_det.LinearHead', num_classes=8)
ARCHITECTURE = PrunedArchitecture(RESNET, HEAD, (3, 64, 64))


def write_mask_rcnn(folder: Path) -> tuple[Config, Path]:
    """Config and checkpoint of a detector that finds something everywhere, and its data."""
    size = dict(crops=(8, 8), images=(4, 4))
    root = str(build_shapes(folder / 'shapes', **size))
    config = load_config(find_config('detection/mask-rcnn_r18-w16_fpn_shapes.py'))
    for split in ('train', 'val', 'test'):
        config[f'{split}_dataloader'].dataset.update(data_root=root, **size)
    config.model.test_cfg.rcnn.score_thr = 0.0
    torch.manual_seed(0)
    described = ARCHITECTURE.to_dict()
    config.model.backbone = dict(
        type='rethink_det.PrunedBackbone', architecture=described, out_indices=(0, 1, 2, 3)
    )
    path = folder / 'epoch_1.pth'
    meta = dict(architecture=described)
    save_checkpoint({'meta': meta, 'state_dict': fresh_state(config)}, path)
    return config, path


def fresh_state(config: Config) -> dict:
    """Weights of a model that is built from a config."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(config.model).state_dict()
