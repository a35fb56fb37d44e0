"""``rethink-det export``: a file that computes what PyTorch does, or none."""

import json
import sys

import pytest
import torch
from mmengine.registry import DefaultScope

from rethink_det.architecture import Cut, PrunedArchitecture, weight_masks
from rethink_det.architecture.checkpoint import load_checkpoint, save_checkpoint
from rethink_det.architecture.input_convention import InputConvention
from rethink_det.export.onnx import OnnxNetwork
from rethink_det.registry import MODELS
from rethink_det.training.config import find_config, load_config
from tests.checkpoints import checkpoint

for module in ('onnx', 'onnxscript', 'onnxruntime'):
    pytest.importorskip(module)

BGR = dict(channels='bgr', mean=[100.0, 110.0, 120.0], std=[50.0, 60.0, 70.0])
SIDE = ('--input-shape', 3, 64, 64)


@pytest.fixture
def pruned(trained, tmp_path):
    """The tiny classifier, pruned."""
    parent = PrunedArchitecture.load(trained)
    small = parent.after(Cut({'layer1.0.conv1': (0, 2), 'layer3.0.conv1': tuple(range(9))}))
    state = small.inherit(load_checkpoint(trained)['state_dict'])
    convention = InputConvention.from_dict(BGR)
    checkpoint(state, small, input_convention=convention).write(tmp_path / 'pruned.pth')
    return tmp_path / 'pruned.pth'


@pytest.fixture
def network(pruned):
    """The same in PyTorch."""
    state = load_checkpoint(pruned)['state_dict']
    return PrunedArchitecture.load(pruned).network_with(state).eval()


def onnx(path):
    return OnnxNetwork(path.read_bytes())


@torch.no_grad()
def close(found, expected):
    return torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


def test_a_checkpoint_is_enough(command, pruned, network):
    done = command('export', pruned, '--onnx')
    assert done.status == 0, done.err
    peer = onnx(pruned.with_suffix('.onnx'))
    images = torch.randn(4, 3, 8, 8)
    close(peer.run(images)[0], network(images))
    told = json.loads(peer.session.get_modelmeta().custom_metadata_map['architecture'])
    assert PrunedArchitecture.from_dict(told) == PrunedArchitecture.load(pruned)


def test_what_is_printed(command, pruned, tmp_path):
    done = command('export', pruned, '--onnx', '-o', tmp_path / 'new' / 'small.onnx')
    size = (tmp_path / 'new' / 'small.onnx').stat().st_size
    cost = PrunedArchitecture.load(pruned).cost()
    assert f'small.onnx: {size:,} bytes' in done.out
    assert 'any number of 3x8x8, normalised, float32 (BGR, mean 100, 110, 120' in done.out
    assert f'params: {cost.params:,}\n' in done.out
    assert f'macs: {cost.macs:,} at 3x8x8\n' in done.out
    assert '(allowed 0.0001), on random images in batches of 1 and 3' in done.out
    assert 'PyTorch ' in done.out and ' ms, onnxruntime ' in done.out


def test_a_backbone_alone(command, pruned, network):
    done = command('export', pruned, '--onnx', '--backbone', '--batch', '2', *SIDE)
    assert done.status == 0, done.err
    peer = onnx(pruned.with_name('pruned-backbone.onnx'))
    images = torch.randn(2, 3, 64, 64)
    found, expected = peer.run(images), network.backbone(images)
    assert [tuple(m.shape) for m in found] == [tuple(m.shape) for m in expected]
    for one, other in zip(found, expected, strict=True):
        close(one, other)
    assert peer.session.get_inputs()[0].shape == [2, 3, 64, 64]
    assert 'outputs: feature_0, feature_1, feature_2' in done.out


def test_pixels_are_normalised_inside(command, pruned, network):
    done = command('export', pruned, '--onnx', '--normalise')
    assert 'RGB pixels, uint8' in done.out, done.err
    pixels = torch.randint(0, 256, (3, 3, 8, 8), dtype=torch.uint8)
    bgr = pixels.flip(1).float()
    mean, std = (torch.tensor(BGR[key])[:, None, None] for key in ('mean', 'std'))
    close(onnx(pruned.with_suffix('.onnx')).run(pixels)[0], network((bgr - mean) / std))


@pytest.mark.slow
def test_masked_weights_are_zero_in_the_file_and_not_counted(command, trained, tmp_path):
    parent = PrunedArchitecture.load(trained)
    state = load_checkpoint(trained)['state_dict']
    name = 'backbone.layer2.0.conv1.weight'
    masks = {name: torch.rand(state[name].shape, generator=torch.Generator().manual_seed(0)) > 0.5}
    weight_masks.apply(state, masks)
    small = parent.after(Cut(masks=masks))
    checkpoint(state, small, masks=masks).write(tmp_path / 'sparse.pth')
    whole = command('export', tmp_path / 'sparse.pth', '--onnx')
    assert f'params: {small.cost().params:,}\n' in whole.out, whole.err
    part = command('export', tmp_path / 'sparse.pth', '--onnx', '--backbone')
    head = sum(tensor.numel() for name, tensor in state.items() if name.startswith('head.'))
    assert f'params: {small.cost().params - head:,}\n' in part.out, part.err


@pytest.mark.slow
def test_a_config_describes_a_checkpoint_that_does_not(command, trained, classifier, tmp_path):
    state = load_checkpoint(trained)['state_dict']
    save_checkpoint({'state_dict': state, 'meta': {}}, tmp_path / 'bare.pth')
    assert command('export', classifier(), tmp_path / 'bare.pth', '--onnx').status == 0
    assert (tmp_path / 'bare.onnx').exists()


# -- refusals ------------------------------------------------------------------------------


def test_a_bad_checkpoint_is_refused(refusal, bad_checkpoint):
    assert 'bad.pth' in refusal('export', bad_checkpoint, '--onnx')
    assert not bad_checkpoint.with_suffix('.onnx').exists()


def test_without_architecture_the_config_is_asked_for(refusal, trained, tmp_path):
    state = load_checkpoint(trained)['state_dict']
    save_checkpoint({'state_dict': state, 'meta': {}}, tmp_path / 'bare.pth')
    message = refusal('export', tmp_path / 'bare.pth', '--onnx')
    assert "bare.pth does not describe its architecture (no meta['architecture'])" in message
    assert 'export CONFIG CHECKPOINT --onnx' in message


@pytest.mark.parametrize(
    'settings, message',
    [
        (('--input-shape', 1, 8, 8), 'cannot run on an input of (1, 8, 8)'),
        (('--input-shape', 3, 0, 8), '--input-shape must be three positive numbers'),
        (('--batch', '0'), "--batch must be a positive number or 'dynamic', got '0'"),
        (('--batch', 'many'), "got 'many'"),
        (('-o', 'out.pth'), 'out.pth: the name of an ONNX file ends in .onnx'),
    ],
)
def test_a_mistake_is_named(refusal, pruned, settings, message):
    assert message in refusal('export', pruned, '--onnx', *settings)
    assert not pruned.with_suffix('.onnx').exists()


def test_pixels_of_an_unknown_convention_are_refused(refusal, trained):
    assert "meta['input_convention']" in refusal('export', trained, '--onnx', '--normalise')


@pytest.mark.parametrize('missing', ['onnx', 'onnxscript', 'onnxruntime'])
def test_the_missing_extra_is_named(refusal, pruned, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    assert "pip install 'rethink-det[export]'" in refusal('export', pruned, '--onnx')


def test_disagreement_leaves_the_old_file_and_nothing_else(refusal, pruned, tmp_path):
    checkpoint = load_checkpoint(pruned)
    checkpoint['state_dict']['backbone.conv1.weight'].fill_(3e38)  # finite, and its sums are not
    save_checkpoint(checkpoint, pruned)
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'old.onnx').write_text('old')
    out = ('-o', tmp_path / 'out' / 'old.onnx')
    assert '--force' in refusal('export', pruned, '--onnx', *out)
    message = refusal('export', pruned, '--onnx', *out, '--force')
    assert 'onnxruntime and PyTorch disagree on random images by nan' in message
    assert [file.read_text() for file in (tmp_path / 'out').iterdir()] == ['old']


# -- detectors -----------------------------------------------------------------------------

DETECTOR = 'detection/faster-rcnn_r18-w16_fpn_shapes.py'


@pytest.fixture
def detector(tmp_path):
    """A checkpoint of the small Faster R-CNN, and a config with its backbone pruned."""
    config = load_config(find_config(DETECTOR))
    backbone = dict(type='mmdet.ResNet', depth=18, base_channels=16)
    head = dict(type='rethink_det.LinearHead', num_classes=8)
    shape = PrunedArchitecture(backbone, head, (3, 32, 32), {'layer1.0.conv1': 5})
    shape.save(tmp_path / 'shape.json')
    source = str(tmp_path / 'shape.json')
    config.model.backbone = dict(type='rethink_det.PrunedBackbone', architecture=source)
    config.dump(tmp_path / 'detector.py')
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        state = MODELS.build(config.model).state_dict()
    (tmp_path / 'shape.json').unlink()  # the checkpoint knows
    meta = {'architecture': shape.to_dict()}
    save_checkpoint({'meta': meta, 'state_dict': state}, tmp_path / 'detector.pth')
    return tmp_path / 'detector.py', tmp_path / 'detector.pth'


def test_backbone_and_neck_of_a_detector(command, detector):
    done = command('export', *detector, '--onnx', '--backbone', *SIDE)
    assert done.status == 0, done.err
    peer = onnx(detector[1].with_name('detector-backbone.onnx'))
    shapes = [tuple(m.shape) for m in peer.run(torch.randn(2, 3, 64, 64))]
    assert shapes == [(2, 32, side, side) for side in (16, 8, 4, 2)]


@pytest.mark.slow
def test_a_backbone_without_the_config(command, detector):
    done = command('export', detector[1], '--onnx', '--backbone')
    assert done.status == 0, done.err
    assert 'any number of 3x32x32' in done.out


@pytest.mark.slow
def test_a_whole_detector(command, detector):
    done = command('export', *detector, '--onnx', '--normalise', *SIDE)
    assert done.status == 0, done.err
    assert '1 of 3x64x64, RGB pixels, uint8' in done.out
    assert 'score_threshold: may be left out, 0.05 then' in done.out
    peer = onnx(detector[1].with_suffix('.onnx'))
    pixels = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    boxes, scores, labels = peer.run(pixels)
    assert len(boxes) == len(scores) == len(labels) > 0


@pytest.mark.parametrize(
    'arguments, message',
    [
        (('CONFIG', 'CHECKPOINT'), 'say which by --input-shape 3 H W'),
        (('CONFIG', 'CHECKPOINT', '--batch', 2, *SIDE), 'takes one image at a time'),
        (('CONFIG', 'CHECKPOINT', '--batch', 'dynamic', *SIDE), 'not --batch dynamic'),
        (('CHECKPOINT',), 'is no classifier. Of a detector give the config'),
        (('no-such.py', 'CHECKPOINT'), 'no-such.py does not exist'),
        (('mmdet::retinanet/retinanet_r18_fpn_1x_coco.py', 'CHECKPOINT', *SIDE), 'does not fit'),
    ],
)
def test_what_a_detector_lacks_is_named(refusal, detector, arguments, message):
    places = dict(zip(('CONFIG', 'CHECKPOINT'), detector, strict=True))
    arguments = [places.get(word, word) for word in arguments]
    assert message in refusal('export', *arguments, '--onnx')
    assert not detector[1].with_suffix('.onnx').exists()


def test_a_detector_of_another_kind_is_offered_its_feature_maps(refusal, tmp_path):
    name = 'mmdet::retinanet/retinanet_r18_fpn_1x_coco.py'
    config = load_config(name)
    with DefaultScope.overwrite_default_scope('mmdet'):
        state = MODELS.build(config.model).state_dict()
    save_checkpoint({'meta': {}, 'state_dict': state}, tmp_path / 'retina.pth')
    message = refusal('export', name, tmp_path / 'retina.pth', '--onnx', *SIDE)
    assert 'RetinaNet with other heads than RPNHead and StandardRoIHead cannot be' in message
    assert '--backbone' in message
