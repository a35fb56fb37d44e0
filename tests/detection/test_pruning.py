"""A trained detector loses channels of its backbone: the neck follows, nothing else changes."""

import warnings

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope

from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon
from rethink_det.architecture.checkpoint import Checkpoint, load_checkpoint
from rethink_det.arms import ARMS, DETECTION
from rethink_det.datasets.shapes import build_shapes
from rethink_det.detection import transfer_config
from rethink_det.detection.pruning import Trunk, backbone_architecture, prune_detector
from rethink_det.errors import UserError
from rethink_det.pruning import build_pruner
from rethink_det.training.config import find_config, load_config
from rethink_det.training.generators import seeded
from rethink_det.training.training_batches import TrainingBatches
from tests import checkpoints
from tests.slow_ones import slow_where
from tests.tiny_data import write_coco

SIDE = 96
STREAMS = {'layer1.0.conv2': 5, 'layer2.0.conv2': 12, 'layer3.0.conv2': 25, 'layer4.0.conv2': 50}
EXACT = {
    'ratios': dict(type='L1NormPruner', ratios=0.4),
    'outputs': dict(type='L1NormPruner', target=STREAMS),
    'random': dict(type='RandomPruner', ratios=0.6),
    'slimming': dict(type='NetworkSlimmingPruner', ratio=0.5),
    'masks': dict(type='MagnitudePruner', ratio=0.7),
    'zeros': dict(type='SoftFilterPruner', keep=0.5),
}
DATA = {
    'thinet': dict(type='ThiNetPruner', ratios=0.5, images=4),
    'regression': dict(type='RegressionPruner', ratios=0.5, images=4),
    'taylor': dict(type='ImportancePruner', importance='taylor', ratios=0.5, images=4),
    'hessian': dict(type='ImportancePruner', importance='hessian', ratios=0.5, images=2),
    'apoz': dict(type='ImportancePruner', importance='apoz', ratios=0.5, images=4),
}


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    """Mask R-CNN of base width 8 on a handful of shapes images, in batches of two."""
    root = tmp_path_factory.mktemp('prune') / 'shapes'
    build_shapes(root, crops=(8, 8), images=(6, 2))
    found = load_config(find_config('detection/mask-rcnn_r18-w16_fpn_shapes.py'))
    found.model.backbone.base_channels = 8
    found.model.neck.in_channels = [8, 16, 32, 64]
    found.train_dataloader.batch_size = 2
    found.train_dataloader.dataset.update(data_root=str(root), crops=(8, 8), images=(6, 2))
    return found


@pytest.fixture(scope='module')
def detector(config, unsettle):
    return unsettle(build(config))


@pytest.fixture(scope='module')
def checkpoint(detector):
    """Of plain mmdet: it does not say what its backbone is."""
    return Checkpoint.from_dict({'state_dict': detector.state_dict()}, 'plain.pth')


@pytest.fixture(scope='module')
def prune(config, checkpoint):
    """Prunes the detector, its weights left as they are."""

    def run(pruner, **changes):
        pruner = dict(pruner)
        if isinstance(pruner.get('target'), dict):
            base = backbone_architecture(config, checkpoint)
            described = base.to_dict() | {'channels': pruner['target']}
            pruner['target'] = PrunedArchitecture.from_dict(described)
        data = TrainingBatches(config)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', UserWarning)  # floors, at such widths
            return prune_detector(config, checkpoint, build_pruner(pruner), data)

    return run


def build(config):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(config.model).eval()


def rebuilt(config, result, path):
    """The pruned detector by its checkpoint, as arm prune-d starts from it."""
    checkpoints.checkpoint(result.state_dict, result.architecture, masks=result.masks).write(path)
    arm = ARMS.get(DETECTION, 'prune-d')
    model = build(transfer_config(config, arm, path, path).config)
    model.load_state_dict(load_checkpoint(path)['state_dict'])
    return model


@pytest.mark.parametrize('name', EXACT)
@torch.no_grad()
def test_it_computes_what_the_whole_one_computes_with_zeros(
    config, checkpoint, prune, tmp_path, name
):
    result = prune(EXACT[name])
    small = rebuilt(config, result, tmp_path / 'pruned.pth')
    whole = build(config)
    whole.load_state_dict(checkpoint.state_dict)
    channels = result.architecture.channels
    assert channels or result.masks
    with torch.enable_grad():
        surgeon = Surgeon(Trunk(whole), (3, 64, 64), 'backbone.')
        Cut(channels=channels).zero(surgeon)
    for key, mask in result.masks.items():
        if name == 'masks':
            whole.get_parameter(key).mul_(mask)
        else:  # whole filters, of layers whose inputs may have been cut
            whole.get_parameter(key)[~mask.flatten(1).any(1)] = 0
    images = torch.randn(2, 3, SIDE, SIDE)
    for ours, theirs in zip(small.extract_feat(images), whole.extract_feat(images), strict=True):
        assert (ours - theirs).abs().max() <= 1e-5 * max(1, theirs.abs().max())


def test_the_neck_follows_and_the_heads_stay(checkpoint, prune):
    state = prune(EXACT['outputs']).state_dict
    for level, (width, name) in enumerate(zip(STREAMS.values(), STREAMS, strict=True)):
        assert state[f'neck.lateral_convs.{level}.conv.weight'].shape[1] == width, name
    for name, tensor in checkpoint.state_dict.items():
        if not name.startswith(('backbone.', 'neck.lateral_convs')):
            assert torch.equal(state[name], tensor), name


def test_the_given_checkpoint_is_left_alone(checkpoint, prune):
    before = {name: tensor.clone() for name, tensor in checkpoint.state_dict.items()}
    prune(DATA['thinet'])
    assert all(torch.equal(checkpoint.state_dict[name], t) for name, t in before.items())


@pytest.mark.parametrize('name', slow_where('regression|apoz|hessian', DATA))
def test_methods_look_at_detection_images(config, prune, tmp_path, name):
    once, again = prune(DATA[name]), prune(DATA[name])
    assert once.architecture == again.architecture
    assert once.architecture.kept('layer3.1.conv1') == 16
    maps = rebuilt(config, once, tmp_path / 'pruned.pth').extract_feat(torch.randn(1, 3, 64, 64))
    assert all(m.isfinite().all() for m in maps)


def test_the_heads_go_where_backbone_and_neck_go(config):
    detector = build(config)
    Trunk(detector).to(torch.float64)
    assert {p.dtype for p in detector.parameters()} == {torch.float64}


@pytest.mark.gpu
@pytest.mark.parametrize('name', DATA)
def test_a_gpu_finds_what_the_cpu_finds(config, checkpoint, name):
    pruner, data = build_pruner(DATA[name]), TrainingBatches(config)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)
        here, there = (
            prune_detector(config, checkpoint, pruner, data, device=device)
            for device in ('cpu', 'cuda')
        )
    kept, expected = (result.architecture.channels for result in (there, here))
    # Channels of nearly the same score may change places: of a hundred a few.
    same = [len({*kept[layer]} & {*expected[layer]}) / len(expected[layer]) for layer in expected]
    assert min(same) >= 0.5 and sum(same) / len(same) >= 0.95, same
    assert {tensor.device.type for tensor in there.state_dict.values()} == {'cpu'}


def test_the_score_of_a_channel_follows_from_the_detectors_own_loss(config, detector):
    (images, samples), *_ = TrainingBatches(config)
    trunk = Trunk(detector)
    losses = detector.loss(images, samples)
    assert {'loss_rpn_cls', 'loss_cls', 'loss_bbox', 'loss_mask'} <= set(losses)
    with seeded(0):  # samplers draw
        expected = detector.parse_losses(detector.loss(images, samples))[0]
    assert torch.allclose(trunk.loss(images, samples), 2 * expected)


def test_batches_of_different_sizes_are_padded_alike(tmp_path):
    write_coco(tmp_path / 'coco')
    config = load_config(find_config('detection/faster-rcnn_r34_fpn_1x_coco.py'))
    config.train_dataloader.dataset.data_root = f'{tmp_path}/coco/'
    config.train_dataloader.dataset.pipeline[2].scale = (120, 80)
    images, samples = next(iter(TrainingBatches(config)))
    assert images.shape[0] == len(samples) == 2
    assert {side % 32 for side in images.shape[2:]} == {0}
    assert all(len(sample.gt_instances.bboxes) for sample in samples)


def test_batchnorm_of_a_neck_is_no_channel_of_the_backbone(config, checkpoint, unsettle):
    neck = dict(type='PAFPN', norm_cfg=dict(type='BN'), no_norm_on_lateral=False)
    changed = load_config(find_config('detection/mask-rcnn_r18-w16_fpn_shapes.py'))
    changed.model.backbone.base_channels = 8
    changed.model.neck.update(neck, in_channels=[8, 16, 32, 64])
    state = unsettle(build(changed)).state_dict()
    pruner = build_pruner(dict(type='NetworkSlimmingPruner', ratio=0.5))
    result = prune_detector(changed, checkpoints.checkpoint(state), pruner)
    assert result.architecture.channels and not result.architecture.selections
    assert all(name.startswith('layer') for name in result.architecture.channels)
    bns = [n for n in state if n.startswith('neck.') and n.endswith('bn.weight')]
    assert bns and all(result.state_dict[n].shape == state[n].shape for n in bns)


def test_a_plain_detector_is_described_by_its_config(config, checkpoint):
    found = backbone_architecture(config, checkpoint)
    assert found.backbone['type'] == 'mmdet.ResNet'
    assert found.backbone['base_channels'] == 8
    assert not {'frozen_stages', 'norm_eval', 'init_cfg'} & set(found.backbone)


def test_a_detector_without_a_neck_is_refused(checkpoint):
    config = load_config('mmdet::faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py')
    pruner = build_pruner(EXACT['ratios'])
    with pytest.raises(UserError, match='no neck.*arm prune-c'):
        prune_detector(config, checkpoint, pruner)


def test_weights_of_another_detector_are_refused(config, checkpoint):
    wide = load_config(find_config('detection/mask-rcnn_r18-w16_fpn_shapes.py'))
    with pytest.raises(UserError, match='plain.pth does not fit the config.*conv1.weight'):
        prune_detector(wide, checkpoint, build_pruner(EXACT['ratios']))


def test_a_loss_without_ground_truth_is_refused(config, checkpoint):
    pruner = build_pruner(DATA['taylor'])
    with pytest.raises(UserError, match='A loss needs labels'):
        prune_detector(config, checkpoint, pruner, [torch.randn(2, 3, 64, 64)])
