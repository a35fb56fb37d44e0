"""Pruned detectors for plain mmdet: what is written needs no package but that."""

import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.apis import inference_detector, init_detector
from mmengine.config import Config

from rethink_det import UserError
from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from rethink_det.arms import ARMS, DETECTION
from rethink_det.detection.pruning import prune_detector
from rethink_det.detection.transfer.adapt import transfer_config
from rethink_det.export import export_plain, plain_detector
from rethink_det.export.narrowing import narrowed_layers
from rethink_det.pruning import build_pruner
from rethink_det.registered import build, scope_of
from rethink_det.registry import MODELS
from rethink_det.training.config import find_config, load_config
from tests.small_detectors import config as small_config
from tests.small_detectors import detector as finding
from tests.small_detectors import fresh

PROCESS = Path(__file__).with_name('plain_process.py')
RESNET = dict(type='mmdet.ResNet', depth=18, base_channels=16)
HEAD = dict(type='rethink_det.LinearHead', num_classes=8)
KEPT = {'layer1.0.conv1': (0, 2, 7), 'layer3.1.conv1': tuple(range(20))}
CLASSES = dict(classes=tuple('abcdefgh'), palette=[(i, i, i) for i in range(8)])


def write(folder, config, state, architecture=None):
    """A trained detector as this package has it: its config and its checkpoint."""
    config.dump(folder / 'own.py')
    meta = dict(dataset_meta=CLASSES)
    if architecture is not None:
        meta['architecture'] = architecture.to_dict()
    save_checkpoint({'meta': meta, 'state_dict': state}, folder / 'own.pth')
    return load_config(folder / 'own.py'), folder / 'own.pth'


@pytest.fixture
def pruned(tmp_path):
    """Makes a pruned R-CNN that finds things of all classes: its config and its checkpoint."""

    def make(kind='faster', architecture=None):
        whole = PrunedArchitecture(RESNET, HEAD, (3, 32, 32))
        shape = architecture or whole.after(Cut(KEPT))
        backbone = dict(type='rethink_det.PrunedBackbone', architecture=shape.to_dict())
        described = dict(backbone=dict(_delete_=True, frozen_stages=1, **backbone))
        config = small_config(kind)
        config.merge_from_dict(dict(model=described))
        data = dict(data_root=str(tmp_path / 'shapes'), crops=(2, 2), images=(2, 2))
        config.test_dataloader.dataset.update(data)
        state = finding(kind, backbone=config.model.backbone).state_dict()
        return write(tmp_path, config, state, shape)

    return make


@pytest.fixture
def picture(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'picture.png'), noise)
    return tmp_path / 'picture.png'


def elsewhere(path, picture):
    """What mmdet finds in a process that cannot import this package."""
    out = path.with_name('found.pth')
    command = [sys.executable, PROCESS, path, picture, out]
    done = subprocess.run(command, capture_output=True, text=True, cwd=path.parent.parent)
    assert done.returncode == 0, done.stderr
    return torch.load(out)


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['faster', 'mask'])
def test_where_this_package_is_not_it_finds_the_same(kind, pruned, picture, tmp_path):
    config, checkpoint = pruned(kind)
    own = init_detector(str(tmp_path / 'own.py'), str(checkpoint), device='cpu')
    expected = inference_detector(own, str(picture)).pred_instances
    file = export_plain(config, checkpoint, tmp_path / 'plain' / f'{kind}-small.py')
    found = elsewhere(file.path, picture)
    assert len(expected) > 5 and len(set(expected.labels.tolist())) > 1
    assert ('masks' in expected) == (kind == 'mask')
    for key, value in expected.items():
        assert torch.equal(found[key], value), key
    assert tuple(found['classes']) == CLASSES['classes'] and file.difference == 0
    assert 'import rethink_det' not in ''.join(one.read_text() for one in (file.path, file.module))


def test_what_is_written_is_mmdets_own_class_at_the_widths_that_are_left(pruned, tmp_path):
    config, checkpoint = pruned()
    file = export_plain(config, checkpoint, tmp_path / 'plain' / 'small.py')
    detector = init_detector(str(file.path), str(file.weights), device='cpu')
    assert type(detector.backbone).__module__.startswith('mmdet.')
    layer = detector.backbone.layer1[0]
    assert layer.conv1.out_channels == layer.bn1.num_features == layer.conv2.in_channels == 3
    state = load_checkpoint(checkpoint)['state_dict']
    assert all(torch.equal(one, state[name]) for name, one in detector.state_dict().items())
    frozen = [name for name, one in detector.named_parameters() if not one.requires_grad]
    assert 'backbone.layer1.0.conv1.weight' in frozen and 'backbone.conv1.weight' in frozen
    assert [change.place for change in file.changes] == [
        'model.backbone.type', 'test_dataloader.dataset.type', 'test_evaluator.type',
    ]  # fmt: skip


def test_without_its_weights_it_is_drawn_for_its_own_widths(pruned, tmp_path):
    config, checkpoint = pruned()
    file = export_plain(config, checkpoint, tmp_path / 'plain' / 'small.py')
    plain = Config.fromfile(file.path)
    with scope_of(plain, 'mmdet'):
        backbone = build(MODELS, plain.model).backbone
    layer = backbone.layer1[0]
    assert layer.conv2.weight.std() > 0 and torch.equal(layer.bn1.weight, torch.ones(3))
    backbone.init_weights()
    assert layer.conv2.weight.shape[1] == 3 and layer.conv2.weight.std() > 0


def test_a_whole_backbone_needs_no_module(pruned, tmp_path):
    config, checkpoint = pruned('faster', PrunedArchitecture(RESNET, HEAD, (3, 32, 32)))
    file = export_plain(config, checkpoint, tmp_path / 'plain')
    assert file.module is None and file.path == tmp_path / 'plain' / 'own.py'
    assert Config.fromfile(file.path).model.backbone.type == 'mmdet.ResNet'
    assert {one.name for one in file.path.parent.iterdir()} == {'own.py', 'own.pth'}


NARROW = {f'layer{stage}.0.conv3': 96 * 2**stage for stage in (1, 2, 3, 4)}
NARROW |= {'layer1.1.conv1': 40, 'layer3.2.conv2': 100}
OTHERS = (
    'retinanet/retinanet_r50_fpn_1x_coco.py',
    'faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py',
    'dcnv2/faster-rcnn_r50-mdconv-c3-c5_fpn_1x_coco.py',
    'ssd/ssd300_coco.py',
    'yolox/yolox_tiny_8xb8-300e_coco.py',
    'gn/mask-rcnn_r50_fpn_gn-all_2x_coco.py',
    'detr/detr_r50_8xb2-150e_coco.py',
    'solov2/solov2_r50_fpn_1x_coco.py',
)


def adapted(name, tmp_path, **backbone):
    """A detector of mmdet with a backbone that is narrower in its outputs as well."""
    resnet = dict(type='rethink_det.BiasedDownsampleResNet', depth=50, **backbone)
    PrunedArchitecture(resnet, HEAD, (3, 32, 32), NARROW).save(tmp_path / 'small.json')
    config = load_config(f'mmdet::{name}')
    if 'c4' in name:  # a stage of the backbone for every region
        config.model.test_cfg.rpn.max_per_img = 20
    return transfer_config(config, ARMS.get(DETECTION, 'random'), tmp_path / 'small.json').config


@pytest.mark.slow
@pytest.mark.parametrize('name', OTHERS)
def test_other_detectors_compute_the_same(name, tmp_path):
    torch.manual_seed(0)
    own = adapted(name, tmp_path)
    config, checkpoint = write(
        tmp_path, own, fresh(deepcopy(own))
    )  # DETR changes what it is built of
    file = export_plain(config, checkpoint, tmp_path / 'plain')
    assert file.difference == 0
    texts = [one.read_text() for one in (file.path, file.module)]
    assert not any("'rethink_det." in text or 'import rethink_det' in text for text in texts)
    detector = init_detector(str(file.path), str(file.weights), device='cpu')
    with scope_of(config, 'mmdet'):
        own = build(MODELS, config.model)
    assert narrowed_layers(detector.backbone, own.backbone, 'model.backbone') == {}


@pytest.mark.slow
def test_a_detector_that_was_pruned_itself(tmp_path):
    config = load_config('mmdet::yolox/yolox_tiny_8xb8-300e_coco.py')
    whole = Checkpoint.from_dict(fresh(config))
    found = prune_detector(config, whole, build_pruner(dict(type='L1NormPruner', ratios=0.4)))
    found.architecture.save(tmp_path / 'small.json')
    random = ARMS.get(DETECTION, 'random')
    small = transfer_config(config, random, tmp_path / 'small.json').config
    assert small.model.neck.type == 'rethink_det.NarrowedNeck'
    config, checkpoint = write(tmp_path, small, found.state_dict, found.architecture)
    file = export_plain(config, checkpoint, tmp_path / 'plain')
    plain = Config.fromfile(file.path).model
    assert plain.neck.type == 'NarrowedModule' and plain.neck.whole.type.endswith('YOLOXPAFPN')
    assert file.difference == 0


# -- refusals ------------------------------------------------------------------------------


def test_a_class_of_this_package_that_mmdet_lacks_is_named(pruned, tmp_path):
    config, checkpoint = pruned()
    config.test_dataloader.dataset.pipeline.append(dict(type='rethink_det.Nothing'))
    with pytest.raises(UserError, match=r'test_dataloader.dataset.pipeline.4: rethink_det.Noth'):
        export_plain(config, checkpoint, tmp_path / 'plain')
    shape = PrunedArchitecture(
        dict(type='rethink_det.CifarResNet', depth=20), HEAD, (3, 32, 32), {'layer1.0.conv1': 3}
    )
    config = small_config()
    own = dict(type='rethink_det.PrunedBackbone', architecture=shape.to_dict())
    config.merge_from_dict({'model.backbone': dict(_delete_=True, **own)})
    config.model.neck.in_channels = [16, 32, 64]
    config, checkpoint = write(tmp_path, config, fresh(config), shape)
    with pytest.raises(UserError, match='model.backbone: rethink_det.PrunedBackbone is of this'):
        export_plain(config, checkpoint, tmp_path / 'plain')
    assert not (tmp_path / 'plain').exists()


def test_removed_blocks_are_refused(pruned, tmp_path):
    whole = PrunedArchitecture(RESNET, HEAD, (3, 32, 32))
    config, checkpoint = pruned('faster', whole.after(Cut(blocks=('layer2.1',))))
    with pytest.raises(UserError, match=r'model.backbone: layer2.1 is a Identity in the place'):
        export_plain(config, checkpoint, tmp_path / 'plain')


def test_what_no_config_can_say_is_refused(pruned, tmp_path):
    config, checkpoint = pruned()
    config.test_dataloader.sampler.seed = torch.zeros(1)
    with pytest.raises(UserError, match=r'test_dataloader.sampler.seed is tensor'):
        export_plain(config, checkpoint, tmp_path / 'plain')


def test_where_mmdet_would_mix_up_the_classes_it_does_not_evaluate(pruned, tmp_path):
    config, checkpoint = pruned()
    config.test_dataloader.dataset = dict(
        type='rethink_det.CocoDataset', metainfo=CLASSES, pipeline=[], ann_file='a.json'
    )
    file = export_plain(config, checkpoint, tmp_path / 'plain')
    plain = Config.fromfile(file.path)
    assert 'test_evaluator' not in plain and plain.test_dataloader.dataset.type == 'CocoDataset'
    (said,) = [one for one in file.changes if one.place == 'test_evaluator']
    assert 'the classes in another order' in str(said)


def test_if_they_compute_something_else_nothing_is_written(pruned, tmp_path, monkeypatch):
    config, checkpoint = pruned()
    monkeypatch.setattr(plain_detector, 'TOLERANCE', -1)
    with pytest.raises(UserError, match='own modules with its weights compute something else'):
        export_plain(config, checkpoint, tmp_path / 'plain')
    assert not (tmp_path / 'plain').exists()


@pytest.mark.parametrize(
    'out, message', [('a.txt', 'ends in .py'), ('own.py', 'its weights would be .*own.pth itself')]
)
def test_a_name_that_will_not_do_is_refused(pruned, tmp_path, out, message):
    config, checkpoint = pruned()
    with pytest.raises(UserError, match=message):
        export_plain(config, checkpoint, tmp_path / out)


def test_a_classifier_is_refused(pruned, tmp_path):
    _, checkpoint = pruned()
    config = load_config(find_config('classification/resnet18-w16_shapes.py'))
    with pytest.raises(UserError, match='of a classifier take --onnx'):
        export_plain(config, checkpoint, tmp_path / 'plain')


def test_the_command_says_what_it_changed_and_wrote(pruned, command, tmp_path):
    _, checkpoint = pruned()
    done = command('export', tmp_path / 'own.py', checkpoint, '--plain')
    assert done.status == 0, done.err
    assert 'model.backbone.type: rethink_det.PrunedBackbone -> NarrowedModule' in done.out
    assert f'wrote {tmp_path / "plain" / "own.py"}, ' in done.out
    assert 'plain mmdet differs by 0.0e+00' in done.out


def test_the_command_needs_the_config_and_no_sizes(pruned, command, tmp_path):
    _, checkpoint = pruned()
    done = command('export', checkpoint, '--plain')
    assert done.status == 2 and '--plain needs the config that trained the detector' in done.err
    done = command('export', tmp_path / 'own.py', checkpoint, '--plain', '--batch', 1)
    assert done.status == 2 and 'takes a config and a checkpoint, no --batch' in done.err
