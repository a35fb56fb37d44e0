"""The bases of PASCAL VOC on a devkit."""

from pathlib import Path

from mmengine.config import Config

from rethink_det.detection.datasets.data_root import with_data_root

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'


def on(root, base):
    return with_data_root(Config.fromfile(CONFIGS / '_base_' / f'{base}.py'), root).config


def leaf(config, split='val'):
    return config[f'{split}_dataloader'].dataset
