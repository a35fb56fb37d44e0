"""A whole detector is measured: right, repeatable, without a trace."""

import json
from copy import deepcopy

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import save_checkpoint
from rethink_det.datasets.shapes import build_shapes
from rethink_det.detection.measuring.detector import measure_detector
from rethink_det.errors import UserError
from rethink_det.layout import SHEET
from rethink_det.training.config import find_config, load_config

MASKS = 'detection/mask-rcnn_r18-w16_fpn_shapes.py'
RESNET = dict(type='mmdet.ResNet', depth=18, base_channels=16)
HEAD = dict(type='rethink_det.LinearHead', num_classes=8)


@pytest.fixture(scope='module')
def mask_rcnn(tmp_path_factory):
    """Config and checkpoint of a detector with fresh weights that finds something everywhere."""
    folder = tmp_path_factory.mktemp('detector')
    size = dict(crops=(8, 8), images=(4, 4))
    root = str(build_shapes(folder / 'shapes', **size))
    config = load_config(find_config(MASKS))
    config.merge_from_dict(
        {f'val_dataloader.dataset.{k}': v for k, v in dict(data_root=root, **size).items()}
        | {'model.test_cfg.rcnn.score_thr': 0.0}
    )
    torch.manual_seed(0)
    described = PrunedArchitecture(RESNET, HEAD, (3, 64, 64)).to_dict()
    config.model.backbone = dict(
        type='rethink_det.PrunedBackbone', architecture=described, out_indices=(0, 1, 2, 3)
    )
    meta = dict(architecture=described)
    path = folder / 'epoch_1.pth'
    state = trained_state(config)
    save_checkpoint({'meta': meta, 'state_dict': state}, path)
    return config, path


def trained_state(config):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(config.model).state_dict()


def test_a_whole_detector_is_measured(mask_rcnn, tmp_path, monkeypatch):
    monkeypatch.setattr('rethink_det.detection.measuring.detector.THRESHOLD', 0.0)
    config, path = mask_rcnn
    drawn = torch.random.get_rng_state()
    facts = measure_detector(config, path, tmp_path, seconds=0)
    assert torch.equal(torch.random.get_rng_state(), drawn)
    assert 0 < facts['latency_ms'] < 60_000
    weights = sum(t.nbytes for t in trained_state(config).values()) / 2**20
    assert weights < facts['peak_memory_mib'] < weights + 100
    sheet = json.loads((tmp_path / SHEET).read_text())
    assert sheet['classes'][0] == 'disk'
    assert [one['id'] for one in sheet['images']] == sorted(one['id'] for one in sheet['images'])
    assert all(one['truth']['masks'] and one['found']['masks'] for one in sheet['images'])
    measure_detector(config, path, tmp_path, seconds=0)
    assert json.loads((tmp_path / SHEET).read_text()) == sheet


def test_a_checkpoint_of_another_detector_is_refused(mask_rcnn, tmp_path):
    config, path = mask_rcnn
    other = deepcopy(config)
    other.merge_from_dict({'model.roi_head.bbox_head.num_classes': 3})
    with pytest.raises(UserError, match='epoch_1.pth does not fit the config'):
        measure_detector(other, path, tmp_path)
    assert not (tmp_path / SHEET).exists()


def test_a_preprocessor_beside_the_model_is_the_models(mask_rcnn, tmp_path, monkeypatch):
    monkeypatch.setattr('rethink_det.detection.measuring.detector.THRESHOLD', 0.0)
    # Where a Runner looks for it, too.
    config, path = mask_rcnn
    beside = deepcopy(config)
    beside.data_preprocessor = beside.model.pop('data_preprocessor')
    shifted = deepcopy(config)
    shifted.merge_from_dict({'model.data_preprocessor.mean': [0.0, 0.0, 0.0]})
    found = {}
    for name, one in dict(inside=config, beside=beside, shifted=shifted).items():
        measure_detector(one, path, tmp_path / name, seconds=0)
        found[name] = json.loads((tmp_path / name / SHEET).read_text())['images']
    assert found['beside'] == found['inside'] != found['shifted']


def test_data_without_objects_cannot_be_measured(mask_rcnn, tmp_path, monkeypatch):
    config, path = mask_rcnn
    monkeypatch.setattr('rethink_det.detection.measuring.detector.first_images', lambda *_: [])
    with pytest.raises(UserError, match='no image with an object'):
        measure_detector(config, path, tmp_path)
