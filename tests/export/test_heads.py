"""What heads put out: mmdet's own numbers, in order."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.network import outputs_of
from rethink_det.detection.load_detector import load_detector
from rethink_det.export.heads import RawHeads, tensors_of
from rethink_det.training.config import load_config
from tests.small_detectors import detector, fresh, image


def test_of_two_stages_it_is_the_first_one_and_the_maps_for_the_second():
    model = detector()
    with torch.no_grad():
        found = RawHeads(model)(image(0))
        features = model.extract_feat(image(0))
        scores, boxes = model.rpn_head(features)
    expected = [*scores, *boxes, *features]
    assert len(found) == len(expected) == 12
    assert all(map(torch.equal, found, expected))


def test_of_one_stage_it_is_all_that_the_head_puts_out():
    config = load_config('mmdet::retinanet/retinanet_r18_fpn_1x_coco.py')
    model = load_detector(config, Checkpoint.from_dict(fresh(config))).eval()
    with torch.no_grad():
        found = RawHeads(model)(image(0))
        scores, boxes = model.bbox_head(model.extract_feat(image(0)))
    expected = [*scores, *boxes]
    assert len(found) == len(expected) == 10 and all(map(torch.equal, found, expected))


def test_tensors_are_found_however_nested():
    a, b, c = (torch.full((1,), float(number)) for number in range(3))
    assert [*map(float, tensors_of([{'x': a, 'y': (b, None)}, 'no', [[c]]]))] == [0, 1, 2]


def test_an_image_that_is_too_small_is_refused():
    with pytest.raises(UserError, match='RawHeads cannot run on an input of'):
        outputs_of(RawHeads(detector()), (1, 8, 8))
