"""A whole detector is measured: right, repeatable, without a trace."""

import json
from copy import deepcopy

import pytest
import torch
from mmengine.config import Config

from rethink_det.detection.measuring.detector import detector_at_work
from rethink_det.errors import UserError
from rethink_det.layout import SHEET
from rethink_det.training.device import name_of
from tests.tiny_detector import fresh_state, write_mask_rcnn


@pytest.fixture(scope='module')
def mask_rcnn(tmp_path_factory):
    return write_mask_rcnn(tmp_path_factory.mktemp('detector'))


def sheet_of(config, path, folder):
    """The file that a detector at work writes, its detections of any score."""
    with detector_at_work(config, path) as work:
        work.write_sheet(folder)
    return json.loads((folder / SHEET).read_text())


@pytest.fixture
def of_any_score(monkeypatch):
    monkeypatch.setattr('rethink_det.detection.measuring.detector.THRESHOLD', 0.0)


def test_a_whole_detector_is_measured(mask_rcnn, tmp_path, of_any_score):
    config, path = mask_rcnn
    drawn = torch.random.get_rng_state()
    with detector_at_work(config, path) as work:
        torch.rand(3)
        assert 0 < work.latency_ms(seconds=0) < 60_000
        assert work.latency_device == name_of(work.device)
        peak = work.peak_memory_mib()
    assert torch.equal(torch.random.get_rng_state(), drawn)
    weights = sum(t.nbytes for t in fresh_state(config).values()) / 2**20
    assert weights < peak < weights + 100
    sheet = sheet_of(config, path, tmp_path)
    assert sheet['classes'][0] == 'disk'
    assert [one['id'] for one in sheet['images']] == sorted(one['id'] for one in sheet['images'])
    assert all(one['truth']['masks'] and one['found']['masks'] for one in sheet['images'])
    assert sheet_of(config, path, tmp_path) == sheet


def refusal(config, path):
    with pytest.raises(UserError) as refused, detector_at_work(config, path):
        pass
    return str(refused.value)


def test_a_checkpoint_of_another_detector_is_refused(mask_rcnn):
    config, path = mask_rcnn
    other = deepcopy(config)
    other.merge_from_dict({'model.roi_head.bbox_head.num_classes': 3})
    assert 'epoch_1.pth does not fit the config' in refusal(other, path)


@pytest.mark.slow
def test_a_preprocessor_beside_the_model_is_the_models(mask_rcnn, tmp_path, of_any_score):
    # Where a Runner looks for it, too.
    config, path = mask_rcnn
    beside = deepcopy(config)
    beside.data_preprocessor = beside.model.pop('data_preprocessor')
    shifted = deepcopy(config)
    shifted.merge_from_dict({'model.data_preprocessor.mean': [0.0, 0.0, 0.0]})
    inside = sheet_of(config, path, tmp_path)['images']
    assert sheet_of(beside, path, tmp_path)['images'] == inside
    assert sheet_of(shifted, path, tmp_path)['images'] != inside


def test_data_without_objects_cannot_be_measured(mask_rcnn, monkeypatch):
    config, path = mask_rcnn
    monkeypatch.setattr('rethink_det.detection.measuring.detector.first_images', lambda *_: [])
    assert 'no image with an object' in refusal(config, path)


def test_nor_can_a_config_without_any(mask_rcnn):
    config, path = mask_rcnn
    without = Config({**config, 'val_dataloader': None})
    assert refusal(without, path) == 'The config has no val_dataloader.'
