"""mmsegmentation's own configs, as they are, with a backbone that is narrower in its outputs."""

import re
from functools import partial

import pytest
import torch
from mmengine.config import Config

from rethink_det.architecture.backbone import configured_architecture
from rethink_det.architecture.checkpoint import digest, load_checkpoint
from rethink_det.arms import ARMS, SEGMENTATION
from rethink_det.errors import UserError
from rethink_det.pruning import prune_state
from rethink_det.registered import scope_of
from rethink_det.segmentation.transfer.adapt import segmenter_config
from rethink_det.segmentation.transfer.heads import readers
from rethink_det.training.config import load_config
from tests.detection.backbones import write_classifier
from tests.segmentation.tiny import write_config

pytest.importorskip('mmseg', reason='needs onedl-mmsegmentation, the extra mmseg')

KEEP = {f'layer{stage}.0.conv3': share for stage, share in enumerate((0.9, 0.7, 0.6, 0.8), 1)}
WIDTHS = [230, 358, 614, 1638]
HEAD = dict(type='rethink_det.LinearHead', num_classes=5)
FCN = 'fcn/fcn_r50-d8_4xb4-80k_ade20k-512x512.py'
RESNETS = {
    FCN: (1638, 614),
    'deeplabv3plus/deeplabv3plus_r50-d8_4xb4-80k_ade20k-512x512.py': (1638, 614),
    'upernet/upernet_r50_4xb4-80k_ade20k-512x512.py': (WIDTHS, 614),
}
SEGFORMER = 'segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py'
MIOU = re.compile(r'^mIoU: \d', re.MULTILINE)


@pytest.fixture(scope='module')
def pruned(tmp_path_factory):
    """A ResNet-50 as arm prune-c takes it."""
    path = tmp_path_factory.mktemp('pruned') / '50.pth'
    return write_classifier(path, KEEP, arm='fine-tune')


def trained(command, config, source, arm, work):
    """What the command printed, the resolved config, and what the checkpoint has."""
    done = command(
        'train', config, '--backbone', source, '--arm', arm, '--work-dir', work,
        '--cfg-options', 'default_hooks.logger.interval=1',
    )  # fmt: skip
    assert done.status == 0, done
    assert MIOU.search(done.out), done.out
    return done.out, Config.fromfile(work / config.name), load_checkpoint(work / 'epoch_1.pth')


@pytest.mark.slow
@pytest.mark.parametrize('name', RESNETS)
def test_config_trains_and_evaluates(name, pruned, command, tmp_path):
    config = write_config(tmp_path, name)
    out, resolved, saved = trained(command, config, pruned, 'prune-c', tmp_path / 'work')
    told = tuple(head['in_channels'] for _, head in readers(resolved.model))
    assert told == RESNETS[name]
    assert 'train_cfg: 2 iterations -> 1 epochs' in out
    assert 'model.pretrained: open-mmlab://resnet50_v1c -> none' in out
    assert 'model.backbone.deep_stem: True -> False, as the architecture has it' in out
    own = load_config(f'mmseg::{name}').model.backbone
    geometry = resolved.model.backbone.geometry
    assert all(list(own[key]) == list(geometry[key]) for key in ('strides', 'dilations'))

    assert saved['meta']['iter'] == 2
    given = load_checkpoint(pruned)['state_dict']
    given = {n.removeprefix('backbone.'): t for n, t in given.items() if 'backbone.' in n}
    proof = saved['meta']['provenance']
    assert (proof['arm'], proof['parent_digest']) == ('prune-c', digest(given))
    assert proof['tensors'] == len(given)


@pytest.mark.slow
def test_segformer_trains_on_its_own_transformer_pruned(command, tmp_path):
    config = write_config(tmp_path, SEGFORMER, heads=['decode_head'])
    loaded = load_config(config)
    backbone = {k: v for k, v in loaded.model.backbone.items() if k != 'init_cfg'}
    with scope_of(loaded):
        whole = configured_architecture(backbone, HEAD, (3, 64, 64))
    torch.manual_seed(0)
    settings = dict(type='GroupNormPruner', ratios=0.5)
    pruned = prune_state(whole.build_network().state_dict(), settings, whole).architecture
    pruned.shape().save(tmp_path / 'small.json')
    out, resolved, saved = trained(
        command, config, tmp_path / 'small.json', 'random', tmp_path / 'work'
    )
    assert resolved.model.decode_head.in_channels == [16, 32, 80, 128]
    assert pruned.cost().macs < 0.3 * whole.cost().macs
    assert saved['meta']['provenance']['arm'] == 'random'
    assert 'https://' not in str(resolved.model)


def test_config_is_adapted_as_it_is(pruned):
    adapt = partial(adapted, FCN)
    found = adapt('prune-c', str(pruned), str(pruned))
    told = [head['in_channels'] for _, head in readers(found.config.model)]
    assert told == [1638, 614]
    assert found.config.model.backbone.geometry.contract_dilation is True
    assert found.config.custom_hooks[-1] == dict(
        type='rethink_det.TransferHook', arm='prune-c', checkpoint=str(pruned)
    )
    said = '\n'.join(map(str, found.changes))
    assert 'model.decode_head.in_channels: 2048 -> 1638' in said
    assert 'val_evaluator.type: IoUMetric -> rethink_det.MeanIoU' in said
    assert load_config(f'mmseg::{FCN}').model.pretrained  # it was left as it is


def adapted(name, arm, shape, weights=None):
    return segmenter_config(
        load_config(f'mmseg::{name}'), ARMS.get(SEGMENTATION, arm), shape, weights
    )


@pytest.mark.parametrize(
    'name, shape, words',
    [
        ('san/san-vit-b16_coco-stuff164k-640x640.py', 'resnet50-thinet-50', 'no model.backbone'),
        (FCN, 'vgg16-a', 'of another family'),
        (
            'ddrnet/ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024.py',
            'resnet50-thinet-50',
            r'decode_head .DDRHead. reads what DDRNet puts out',
        ),
        (
            'bisenetv2/bisenetv2_fcn_4xb4-160k_cityscapes-1024x1024.py',
            'resnet50-thinet-50',
            'of another family',
        ),
    ],
)
def test_what_cannot_have_the_backbone_is_refused_in_a_line(name, shape, words):
    with pytest.raises(UserError, match=words) as refused:
        adapted(name, 'random', shape)
    assert '\n' not in str(refused.value)


def test_an_arm_needs_its_weights_and_a_trained_model_has_none(pruned):
    with pytest.raises(UserError, match='Transfer arm prune-c needs the checkpoint of a trained'):
        adapted(FCN, 'prune-c', str(pruned))
    config = load_config(f'mmseg::{FCN}')
    config.load_from = 'trained.pth'
    with pytest.raises(UserError, match='starts from a trained model'):
        segmenter_config(config, ARMS.get(SEGMENTATION, 'random'), 'resnet50-thinet-50')


@pytest.mark.parametrize(
    'name, told',
    [
        ('fastfcn/fastfcn_r50-d32_jpu_aspp_4xb2-80k_cityscapes-512x1024.py', [2048, 614]),
        ('sem_fpn/fpn_r50_4xb4-160k_ade20k-512x512.py', [[256] * 4]),
        ('knet/knet-s3_r50-d8_upernet_8xb2-adamw-80k_ade20k-512x512.py', [WIDTHS, 614]),
        ('mask2former/mask2former_r50_8xb2-160k_ade20k-512x512.py', [WIDTHS]),
    ],
)
def test_necks_and_heads_of_other_kinds_are_told(name, told, pruned):
    model = adapted(name, 'prune-c', str(pruned), str(pruned)).config.model
    assert [head['in_channels'] for _, head in readers(model)] == told
    if model.get('neck'):
        assert list(model.neck.in_channels) == WIDTHS[-len(model.neck.in_channels) :]
