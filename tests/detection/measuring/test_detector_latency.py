"""How long a detector takes hangs on its backbone, and what is done to detections stays."""

import pytest
import torch

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.measuring import detector_latency as module
from rethink_det.detection.measuring.detector_latency import detector_latency
from rethink_det.errors import UserError
from rethink_det.latency.table import LatencyTable
from rethink_det.study.trained_networks import trained_network
from tests.latency.fake_time import CPU, fake_table
from tests.tiny_detector import ARCHITECTURE, write_mask_rcnn

SHAPE = (3, 64, 64)


@pytest.fixture(scope='module')
def mask_rcnn(tmp_path_factory):
    config, path = write_mask_rcnn(tmp_path_factory.mktemp('detector'))
    return config, Checkpoint.read(path)


def narrowed(kept):
    channels = {n: min(kept, w) for n, w in ARCHITECTURE.widths.items() if n.endswith('0.conv1')}
    fields = (ARCHITECTURE.backbone, ARCHITECTURE.head, ARCHITECTURE.input_shape)
    return ARCHITECTURE.__class__(*fields, channels=channels)


def test_a_narrower_backbone_saves_time_and_heads_stay(mask_rcnn, tmp_path):
    latency = detector_latency(*mask_rcnn, SHAPE, CPU, fake_table(tmp_path))
    whole, *fewer = (latency.milliseconds(narrowed(kept)) for kept in (10**6, 8, 4))
    assert whole > fewer[0] > fewer[1] > 0
    assert whole == latency.milliseconds(ARCHITECTURE)
    found = latency.operations(ARCHITECTURE)
    assert any('convolution' in str(one.operator) for one in found)
    boxes = mask_rcnn[0].model.test_cfg.rpn.max_per_img
    assert any(shape.size[0] == boxes for one in found for shape in one.arguments[:2] if shape and
               getattr(shape, 'size', None))  # fmt: skip


def test_what_the_detector_does_besides_is_measured_or_left_out(mask_rcnn, tmp_path, monkeypatch):
    config, checkpoint = mask_rcnn
    first = detector_latency(config, checkpoint, SHAPE, CPU, fake_table(tmp_path))
    monkeypatch.setattr(module, '_share', None)  # known: not measured again
    again = detector_latency(config, checkpoint, SHAPE, CPU, fake_table(tmp_path))
    assert again.outside == first.outside != 0
    monkeypatch.undo()
    bare = config.copy()
    bare.val_dataloader = None
    latency = detector_latency(bare, checkpoint, SHAPE, CPU, fake_table(tmp_path / 'bare'))
    assert latency.outside == 0


def test_other_models_are_refused(mask_rcnn, tmp_path):
    config = mask_rcnn[0].copy()
    config.model = dict(type='mmdet.FasterRCNN')
    with pytest.raises(UserError, match='no detector'):
        detector_latency(config, mask_rcnn[1], SHAPE, CPU, LatencyTable(CPU, tmp_path))


@pytest.mark.slow
def test_a_detector_is_pruned_to_a_share_of_its_time(mask_rcnn, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    config, checkpoint = mask_rcnn
    network = trained_network(config, checkpoint.path)
    result = network.prune(dict(type='L1NormPruner', groups='coupled', latency=0.9), 'cpu')
    goal = result.goal
    assert goal.after < goal.before and goal.measured == pytest.approx(0.9 * goal.before, rel=0.25)
    assert torch.get_default_dtype() == torch.float32
