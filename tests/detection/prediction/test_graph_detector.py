"""A detector as one graph finds what the same detector finds under mmdet, masks included."""

import numpy as np
import pytest
import torch
from mmdet.models.roi_heads.mask_heads.fcn_mask_head import _do_paste_mask

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.detection.prediction import DetectorInput, GraphDetector
from rethink_det.detection.prediction.graph_detector import pasted
from rethink_det.detection.prediction.loaded import LoadedDetector
from rethink_det.errors import UserError
from rethink_det.export.detector import whole_detector
from tests.small_detectors import config, detector


def test_masks_are_pasted_as_mmdet_pastes_them():
    generator = torch.Generator().manual_seed(0)
    masks = torch.rand(6, 28, 28, generator=generator)
    corners = torch.rand(6, 2, generator=generator) * 30 - 3
    boxes = torch.cat([corners, corners + 1 + 20 * torch.rand(6, 2, generator=generator)], 1)
    wanted, _ = _do_paste_mask(masks[:, None], boxes, 33, 41, skip_empty=False)
    torch.testing.assert_close(pasted(masks, boxes, (33, 41)), wanted, atol=1e-5, rtol=0)
    assert pasted(masks[:0], boxes[:0], (33, 41)).shape == (0, 33, 41)


def test_objects_and_masks_are_those_of_the_detector_itself():
    settings = config('mask')
    built = detector('mask')
    content = Checkpoint.from_dict({'state_dict': built.state_dict()}, 'a.pth')
    itself = LoadedDetector(settings, content)
    convention = InputConvention.of(built.data_preprocessor)
    graph = whole_detector(built, (3, 128, 128))
    one = GraphDetector(graph.run, DetectorInput.of((3, 128, 128), convention, (), settings))
    picture = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    ours, theirs = one.predict(picture, 0), itself.predict(picture, 0)
    assert len(ours) == len(theirs) > 5 and tuple(ours.classes) == tuple(theirs.classes)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=0.05)
    assert ours.masks.shape == (len(ours), 96, 96)
    assert (ours.masks != theirs.masks).mean() < 1e-3


def test_nothing_is_an_answer_and_no_picture_is_none():
    reads = DetectorInput((3, 8, 8), True, 0.0, InputConvention('rgb', (0.0,) * 3, (1.0,) * 3))
    empty = [torch.zeros(0, 4), torch.zeros(0), torch.zeros(0).long(), torch.zeros(0, 28, 28)]
    found = GraphDetector(lambda _: empty, reads).predict(np.zeros((4, 4, 3), np.uint8))
    assert len(found) == 0 and found.masks.shape == (0, 4, 4) and found.classes == ()
    strange = [torch.ones(1, 4), torch.ones(1), torch.tensor([2])]
    named = DetectorInput(reads.shape, True, 0.0, reads.convention, ('a', 'b'))
    with pytest.raises(UserError, match='more classes apart than the 2 .* found number 2'):
        GraphDetector(lambda _: strange, named).predict(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(UserError, match='A picture is uint8'):
        GraphDetector(lambda _: empty, reads).predict(np.zeros((4, 4, 3)))
