"""SparsityHook: the gradient of network slimming, whatever multiplies or splits the loss."""

import pytest
import torch
from torch import nn

from rethink_det import UserError
from rethink_det.training import SparsityHook
from rethink_det.training.launch import train

WEIGHTS = torch.tensor([0.5, -2.0, 0.0])
SIGNS = torch.tensor([1.0, -1.0, 0.0])
IMAGES = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(1))


class Net(nn.Module):
    """A backbone with a BatchNorm, and a head with another."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.BatchNorm2d(3))
        self.head = nn.Sequential(nn.BatchNorm1d(3), nn.BatchNorm2d(3))
        with torch.no_grad():
            for norm in (self.backbone[0], *self.head):
                norm.weight.copy_(WEIGHTS)

    def loss(self):
        features = self.head[1](self.backbone(IMAGES))
        return (self.head[0](features.mean(dim=(2, 3))) ** 3).mean()

    def gradients(self):
        norms = (self.backbone[0], *self.head)
        return [norm.weight.grad.clone() for norm in norms]


def watched(stand_in, wrapper, net, **settings):
    hook = SparsityHook(**settings)
    hook.before_train(stand_in(model=net, optim_wrapper=wrapper))
    return hook


@pytest.mark.parametrize('heads', [False, True])
def test_the_gradient_is_the_plain_one_and_the_penaltys(optim_wrapper, stand_in, heads):
    net = Net()
    net.loss().backward()
    plain = net.gradients()
    net.zero_grad()
    watched(stand_in, optim_wrapper(net), net, scale=0.25, heads=heads)
    net.loss().backward()
    added = [found - before for found, before in zip(net.gradients(), plain, strict=True)]
    assert torch.allclose(added[0], 0.25 * SIGNS, atol=1e-7)
    assert torch.allclose(added[1], 0.25 * SIGNS * heads, atol=1e-7)
    assert not added[2].any()  # a BatchNorm2d elsewhere is nobody's channel


@pytest.mark.parametrize('mixed, batches', [(False, 1), (True, 1), (False, 4), (True, 4)])
def test_loss_scale_and_accumulation_leave_the_penalty_as_it_is(
    optim_wrapper, stand_in, mixed, batches
):
    net = Net()
    wrapper = optim_wrapper(net, mixed, accumulative_counts=batches)
    wrapper.initialize_count_status(net, 0, 8)
    hook = watched(stand_in, wrapper, net, scale=0.25)
    hook.before_train(stand_in(model=net, optim_wrapper=wrapper))  # twice is once
    for _ in range(batches):
        wrapper.update_params(net.loss() * 0)
    expected = WEIGHTS - 0.25 * SIGNS  # a step at learning rate 1
    assert torch.equal(net.backbone[0].weight.detach(), expected)


def test_a_resumed_run_ends_alike(resumes_alike):
    with_penalty = resumes_alike([dict(type='rethink_det.SparsityHook', scale=0.5)])
    weights = with_penalty['state_dict']['backbone.bn1.weight']
    assert (weights < 0.9).all()


def test_impossible_settings_and_models_are_refused(tiny_config, optim_wrapper, stand_in):
    with pytest.raises(UserError, match='scale must be a finite number of at least 0, got -1'):
        train(tiny_config(hooks=[dict(type='rethink_det.SparsityHook', scale=-1)]))
    for net in (nn.Sequential(nn.Conv2d(3, 3, 1)), Net().requires_grad_(False)):
        wrapper = optim_wrapper(Net())
        with pytest.raises(UserError, match='no BatchNorm of this model is trained'):
            watched(stand_in, wrapper, net)


@pytest.mark.parametrize('scale', [float('nan'), float('inf'), '1e-4', None])
def test_a_scale_that_is_no_finite_number_is_refused(scale):
    with pytest.raises(UserError, match='SparsityHook: scale must be a finite number of at le'):
        SparsityHook(scale)
