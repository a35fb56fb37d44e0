"""Network slimming of what is tied: by the BatchNorm scales that go together."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture, Surgeon
from rethink_det.pruning import build_pruner, prune_state

HEAD = dict(type='rethink_det.LinearHead', num_classes=4)
COUPLED = dict(type='NetworkSlimmingPruner', groups='coupled', ratio=0.4)
RESNET = PrunedArchitecture(dict(type='rethink_det.CifarResNet', depth=14), HEAD, (3, 16, 16))


def weights(architecture):
    torch.manual_seed(0)
    network = architecture.build_network()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.1, 1)
    return network.state_dict()


def test_a_stream_goes_by_the_sum_of_its_scales():
    state = weights(RESNET)
    norms = ['bn1', *(f'layer1.{block}.bn2' for block in range(2))]
    for name in norms:
        state[f'backbone.{name}.weight'][3] = 0.01  # little everywhere: it goes
        state[f'backbone.{name}.weight'][5] = 0.01
    state['backbone.layer1.1.bn2.weight'][5] = 9.0  # much in one place: it stays
    result = prune_state(state, COUPLED, RESNET)
    kept = result.architecture.channels['conv1']
    assert 3 not in kept and 5 in kept
    same = [result.architecture.channels[f'layer1.{block}.conv2'] for block in range(2)]
    assert same == [kept, kept]
    result.architecture.network_with(result.state_dict)


def test_a_depthwise_network_is_narrowed_where_free_groups_are_not():
    backbone = dict(type='mmdet.MobileNetV2', out_indices=(7,), widen_factor=0.5)
    mobile = PrunedArchitecture(backbone, HEAD, (3, 64, 64))
    state = weights(mobile)
    left = prune_state(state, COUPLED, mobile).architecture.cost().macs / mobile.cost().macs
    assert left < 0.6
    goal = prune_state(state, dict(COUPLED, ratio=None, macs=0.5), mobile).goal
    assert abs(goal.off) < 0.02


def test_what_has_no_scales_is_refused_before_and_when_it_is_pruned():
    vgg = dict(type='rethink_det.VGG', depth=11, norm=False, last_pool=False)
    plain = PrunedArchitecture(vgg, HEAD, (3, 32, 32))
    surgeon = Surgeon(plain.skeleton(), plain.input_shape, prefix='backbone.')
    with pytest.raises(UserError, match='no BatchNorm whose channels'):
        build_pruner(COUPLED).check(surgeon, plain)
    with pytest.raises(UserError, match='no BatchNorm whose channels'):
        prune_state(weights(plain), COUPLED, plain)
    whole = Surgeon(RESNET.skeleton(), RESNET.input_shape, prefix='backbone.')
    build_pruner(COUPLED).check(whole, RESNET)


@pytest.mark.parametrize('more', [dict(heads=True), dict(strictly_above=True), dict(groups='all')])
def test_what_makes_no_sense_is_refused(more):
    with pytest.raises(UserError, match='NetworkSlimmingPruner'):
        build_pruner({**COUPLED, **more})
