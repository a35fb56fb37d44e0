"""Every shipped training config trains two steps and evaluates, by MMEngine's Runner."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import DATASETS, DefaultScope

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import Checkpoint, load_checkpoint
from rethink_det.classification.arm_config import classifier_architecture, is_classifier
from rethink_det.registry import HOOKS
from rethink_det.training.config import load_config
from rethink_det.training.launch import evaluate, train
from rethink_det.training.model import model_of
from rethink_det.training.resumable import last_checkpoint
from tests.needing_mmseg import check_mmseg
from tests.slow_ones import slow_where
from tests.tiny_configs import STEPS, shrink

pytestmark = pytest.mark.filterwarnings('ignore:.*(MD5|the official files have)')

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
ALL = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob('*.py'))
NAMES = [name for name in ALL if not name.startswith(('_base_/', 'studies/'))]
# 138 million parameters, 20 seconds and a checkpoint of a gigabyte; 20 million weights sorted;
# large detectors; and what CIFAR-10's are but for the number of classes.
HEAVY = (
    'imagenet|gradual|_r50_|_r34|cifar100|mask-rcnn|resnet1|vgg19|densenet-bc|vgg16_magnitude|'
    'resnet[23][02]_soft|densenet40_magnitude|soft-filter-pretrained'
)


@HOOKS.register_module(force=True)
class StartHook(Hook):
    """Notes which parameters there are before the first step, and a piece of each."""

    start: dict = {}

    def before_train(self, runner):
        parameters = model_of(runner).named_parameters()
        StartHook.start = {n: (p.requires_grad, piece(p).clone()) for n, p in parameters}


def piece(tensor):
    """About ten thousand values from all over the tensor."""
    values = tensor.detach().flatten()
    return values[:: max(1, len(values) // 10_000)]


@pytest.fixture
def work(tmp_path, monkeypatch):
    """An empty folder to run in, where a path that stayed ``data/...`` finds nothing."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for file in tmp_path.glob('*.pth'):  # up to a gigabyte each
        file.unlink()


@pytest.mark.parametrize(
    'name',
    slow_where(HEAVY, NAMES),
)
def test_config_trains_two_steps_and_evaluates(name, tiny_data, work):
    check_mmseg(name)
    config = shrink(load_config(CONFIGS / name), tiny_data)
    if config.model.backbone.type == 'rethink_det.TimmBackbone':
        pytest.importorskip('timm')
    config.work_dir = str(work)
    config.custom_hooks = [*config.get('custom_hooks', ()), dict(type='rethink_det.StartHook')]
    assert_knows_every_class(config)
    if config.get('load_from'):  # what another config of ours trains
        config.load_from = None
    metrics = train(config)
    checkpoint = load_checkpoint(last_checkpoint(work))
    assert (checkpoint['meta']['epoch'], checkpoint['meta']['iter']) == (1, STEPS)
    losses = checkpoint['message_hub']['log_scalars']['train/loss'][0]
    assert len(losses) == STEPS and losses.isfinite().all() and (losses > 0).all()
    assert_in_range(metrics, config)
    assert_trained(checkpoint['state_dict'])
    assert_describes_itself(checkpoint, last_checkpoint(work), config)
    assert evaluate(config, last_checkpoint(work)) == metrics


def assert_knows_every_class(config):
    """The head has as many outputs as there are classes in the data."""
    with DefaultScope.overwrite_default_scope(config.default_scope):
        classes = DATASETS.build(config.train_dataloader.dataset).metainfo['classes']
    roi = config.model.get('roi_head', {})
    heads = [config.model.get(key) for key in ('head', 'decode_head', 'auxiliary_head')]
    heads += [roi.get('bbox_head'), roi.get('mask_head')]
    assert {head.num_classes for head in heads if head} == {len(classes)}


def assert_in_range(metrics, config):
    """The metrics that the config asks for are there, as shares or percent."""
    if is_classifier(config):
        expected = {f'accuracy/top{k}': 100 for k in config.val_evaluator.topk}
    elif config.val_evaluator.type == 'rethink_det.MeanIoU':
        expected = {'mIoU': 100}
    elif config.val_evaluator.type == 'rethink_det.VOCMetric':
        expected = {'pascal_voc/mAP': 1}
    else:
        kinds = config.val_evaluator.metric
        expected = {f'coco/{kind}_mAP': 1 for kind in ([kinds] if kinds == 'bbox' else kinds)}
    assert expected.keys() <= metrics.keys()
    assert all(0 <= metrics[key] <= most for key, most in expected.items())


def assert_trained(state):
    """All weights have moved except the frozen ones."""
    for name, (trains, before) in StartHook.start.items():
        after = piece(state[name])
        if trains and state[name].ndim > 1:
            assert not torch.equal(after, before), f'{name} has not changed'
        elif not trains:
            assert torch.equal(after, before), f'{name} is frozen and has changed'
    assert StartHook.start.keys() <= state.keys()


def assert_describes_itself(checkpoint, path, config):
    """The file alone rebuilds its network: a classifier, or a detector's pruned backbone."""
    if is_classifier(config):
        expected = classifier_architecture(config)
    elif config.model.backbone.type == 'rethink_det.PrunedBackbone':
        expected = PrunedArchitecture.load(config.model.backbone.architecture)
    else:  # mmdet's own, and nothing of ours is in it
        assert 'architecture' not in checkpoint['meta']
        return
    found = PrunedArchitecture.load(path)
    if is_classifier(config):
        found.network_with(Checkpoint.from_dict(checkpoint).weights)
    assert replace(found, masks={}) == expected
    assert bool(found.masks) == bool(checkpoint.get('masks'))
