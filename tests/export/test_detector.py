"""Whole detectors as ONNX: what onnxruntime does with them, and when that is the same."""

import pytest
import torch

from rethink_det.export.detector import (
    MASKS,
    OUTPUTS,
    THRESHOLD,
    farthest_detection,
    whole_detector,
)
from rethink_det.export.onnx import OnnxNetwork, to_onnx
from tests.small_detectors import SHAPE, detector, image


@pytest.fixture(scope='module')
def exported():
    for module in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(module)
    whole = whole_detector(detector(), SHAPE)
    content, difference = to_onnx(whole)
    return whole, OnnxNetwork(content), difference


@pytest.mark.slow
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
