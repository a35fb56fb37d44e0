"""Stages that nothing in a detector reads: left out where the backbone can end, else cut alike."""

from functools import partial

import pytest
import torch
from mmengine.config import Config

from rethink_det.architecture import PrunedArchitecture
from rethink_det.detection.transfer.check_model import check_model
from rethink_det.errors import UserError
from rethink_det.pruning import prune
from rethink_det.registered import build, scope_of
from rethink_det.registry import HOOKS, MODELS
from rethink_det.transfer.feature_maps import feature_maps, place_outputs
from tests.detection.transfer.adapting import adapted

HEAD = dict(type='rethink_det.LinearHead', num_classes=4)


@pytest.fixture
def two_stages(detector):
    """A detector that reads the first two stages of four."""
    config = Config(detector.to_dict())
    config.model.backbone.out_indices = (0, 1)
    config.model.neck.update(in_channels=[16, 32], num_outs=5)
    return config


@pytest.mark.parametrize('arm', ['random', 'prune-c'])
def test_a_resnet_ends_after_the_last_stage_that_is_read(two_stages, arm, resnet, saved):
    pruned = saved(resnet(layer1_0_conv1=5, layer4_0_conv1=7))
    new = adapted(two_stages, arm, pruned)
    backbone = new.config.model.backbone
    assert backbone.num_stages == 2
    assert list(backbone.strides) == [1, 2] and list(backbone.dilations) == [1, 1]
    told = [str(change) for change in new.changes if 'num_stages' in change.place]
    assert told == ['model.backbone.num_stages: 4 -> 2, nothing reads those after it']
    check_model(new.config)
    with scope_of(new.config, 'mmdet'):
        built = build(MODELS, new.config.model).backbone
    assert not hasattr(built, 'layer3') and built.layer1[0].conv1.out_channels == 5


def test_the_weights_of_the_stages_that_are_there_arrive(two_stages, resnet, saved):
    pruned = saved(resnet(layer1_0_conv1=5, layer4_0_conv1=7))
    config = adapted(two_stages, 'prune-c', pruned).config
    with scope_of(config, 'mmdet'):
        model, hook = build(MODELS, config.model), build(HOOKS, config.custom_hooks[-1])
    hook.check(model)
    wanted = torch.load(pruned, weights_only=True)['state_dict']
    for name, tensor in model.backbone.state_dict().items():
        assert torch.equal(tensor, wanted[f'backbone.{name}']), name


def test_tensors_of_no_stage_are_refused_as_ever(two_stages, resnet, saved):
    config = adapted(two_stages, 'prune-c', saved(resnet(layer1_0_conv1=5))).config
    content = torch.load(config.custom_hooks[-1].checkpoint, weights_only=True)
    content['state_dict']['backbone.layer9.weight'] = torch.zeros(1)
    torch.save(content, config.custom_hooks[-1].checkpoint)
    with pytest.raises(UserError, match=r'layer9\.weight besides'):
        check_model(config)


def test_a_stage_in_the_middle_stays(detector, resnet, saved):
    config = Config(detector.to_dict())
    config.model.backbone.out_indices = (0, 3)
    config.model.neck.update(in_channels=[16, 128], num_outs=5)
    backbone = adapted(config, 'random', saved(resnet(layer2_0_conv1=5))).config.model.backbone
    assert 'num_stages' not in backbone or backbone.num_stages == 4


@pytest.mark.parametrize('kind, read', [('mmdet.MobileNetV2', (1, 2)), ('mmdet.RegNet', (0,))])
def test_elsewhere_it_is_cut_and_not_read(kind, read):
    settings = dict(type=kind, arch='regnetx_400mf') if 'Reg' in kind else dict(type=kind)
    base = PrunedArchitecture(settings, HEAD, (3, 64, 64))
    torch.manual_seed(0)
    network = base.build_network()
    pruned = prune(network, dict(type='RandomPruner', ratios=0.5), base)
    whole, part = pruned.architecture.build(), pruned.architecture.build(out_indices=read)
    whole.eval()
    part.eval()
    part.load_state_dict(whole.state_dict())  # the same tensors, of the same shapes
    images = torch.randn(1, 3, 64, 64)
    maps = dict(zip(whole.out_indices, whole(images), strict=True))
    found = part(images)
    for one, index in zip(found, read, strict=True):
        assert torch.equal(one, maps[index])
    assert tuple(part.out_indices) == read
    wanted = feature_maps(partial(base.build, out_indices=read))
    placed, maps = place_outputs(pruned.architecture, dict(out_indices=read), wanted)
    assert placed['out_indices'] == read
    assert [one.stride for one in maps] == [one.stride for one in wanted]
