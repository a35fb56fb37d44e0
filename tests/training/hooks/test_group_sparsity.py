"""GroupSparsityHook: the gradient of DepGraph's penalty, on all weights that go together."""

import pytest
import torch
from torch import nn

from rethink_det import PrunedArchitecture, UserError, prune
from rethink_det.architecture import Surgeon
from rethink_det.architecture.grouped_scores import scores_of_sets, squares, tied_sides
from rethink_det.architecture.network import BACKBONE, Network
from rethink_det.registry import MODELS
from rethink_det.training import GroupSparsityHook

HEAD = dict(type='rethink_det.LinearHead', num_classes=3)
SHAPE = (3, 8, 8)
SCALE, ALPHA = 0.01, 4.0


@pytest.fixture
def net():
    torch.manual_seed(0)
    backbone = dict(type='rethink_det.CifarResNet', depth=8)
    model = dict(type='rethink_det.Classifier', backbone=backbone, head=HEAD, input_shape=SHAPE)
    net = MODELS.build(model)
    net.init_weights()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return net


def penalty(net):
    """The paper's equation 4, written down plainly."""
    network = Network(net.backbone, net.head)
    surgeon = Surgeon(network, SHAPE, BACKBONE)
    number = surgeon.trace.sets.number
    total = torch.zeros(number, dtype=torch.float64)
    for module, makes, sets in tied_sides(surgeon):
        others = [d for d in range(module.weight.ndim) if d != (0 if makes else 1)]
        norms = module.weight.square().sum(others) if others else module.weight.square()
        total = total.index_add(0, torch.from_numpy(sets), norms.double())
    found = 0
    for group in surgeon.coupling.groups:
        if not group.obstacle:
            units = [surgeon.coupling.set_of(unit) for kind in group.kinds for unit in kind]
            norm = total[units]
            fixed = norm.detach()
            span = fixed.max() - fixed.min()
            found = found + (2 ** (ALPHA * (fixed.max() - fixed) / span) * norm).sum()
    return SCALE * found


def gradients(net):
    return {n: p.grad.clone() for n, p in net.named_parameters() if p.grad is not None}


def watched(stand_in, wrapper, net, **settings):
    hook = GroupSparsityHook(**settings)
    runner = stand_in(model=net, optim_wrapper=wrapper)
    hook.before_train(runner)
    hook.before_train_iter(runner, 0)
    return hook


def loss_of(net):
    return net(torch.ones(2, *SHAPE)).square().sum()


def test_the_gradient_is_the_plain_one_and_the_penaltys(net, optim_wrapper, stand_in):
    net.eval()
    (loss_of(net) + penalty(net)).backward()
    expected = gradients(net)
    net.zero_grad()
    watched(stand_in, optim_wrapper(net), net, scale=SCALE, alpha=ALPHA)
    loss_of(net).backward()
    found = gradients(net)
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        assert torch.allclose(gradient, expected[name], rtol=1e-4, atol=1e-6), name


def test_the_smallest_units_of_a_group_shrink_the_most(net, optim_wrapper, stand_in):
    def norms():
        surgeon = Surgeon(Network(net.backbone, net.head), SHAPE, BACKBONE)
        scores = scores_of_sets(surgeon, squares)
        group = surgeon.coupling.groups[0]
        return scores[[surgeon.coupling.set_of(unit) for unit in group.kinds[0]]]

    before, wrapper = norms(), optim_wrapper(net)
    hook = watched(stand_in, wrapper, net, scale=SCALE, alpha=ALPHA)
    for _ in range(3):
        hook.before_train_iter(stand_in(model=net, optim_wrapper=wrapper), 0)
        net.zero_grad()
        (loss_of(net) * 0).backward()
        with torch.no_grad():
            for parameter in net.parameters():
                parameter -= 0.1 * parameter.grad
    left = norms() / before
    assert left[before.argmin()] < left[before.argmax()] < 1


def test_frozen_weights_are_left_alone(net, optim_wrapper, stand_in):
    net.backbone.conv1.weight.requires_grad_(False)
    watched(stand_in, optim_wrapper(net), net, scale=SCALE)
    (loss_of(net) * 0).backward()
    assert net.backbone.conv1.weight.grad is None


@pytest.mark.parametrize('settings', [dict(scale=-1), dict(alpha=-1), dict(scale=float('nan'))])
def test_a_penalty_that_is_none_is_refused(settings):
    with pytest.raises(UserError, match='GroupSparsityHook: (scale|alpha)'):
        GroupSparsityHook(**settings)


def test_a_model_that_does_not_say_what_it_is_is_refused(optim_wrapper, stand_in):
    other = nn.Linear(2, 2)
    with pytest.raises(UserError, match='works on a classifier of this package, not Linear'):
        watched(stand_in, optim_wrapper(other), other)


def test_what_was_trained_so_is_pruned(net, optim_wrapper, stand_in):
    watched(stand_in, optim_wrapper(net), net)
    result = prune(net, dict(type='GroupNormPruner', ratios=0.5), net.architecture)
    assert isinstance(result.architecture, PrunedArchitecture) and result.architecture.coupled
