"""How often a pruner looks at images is counted, whatever the method; looking changes nothing."""

import pytest
import torch

from rethink_det.errors import UserError
from rethink_det.pruning import prune_state
from rethink_det.pruning.passes import Passes, counted_passes

IMAGES = 12


def data(size=16):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(IMAGES, 3, size, size, generator=generator)
    return [(images[:8], torch.arange(8) % 4), (images[8:], torch.arange(4))]


def passes(parents, kind, **options):
    architecture, state = parents('cifar-resnet')
    settings = dict(type=kind, ratios=dict.fromkeys(('layer1.0.conv1', 'layer2.1.conv1'), 0.5))
    return prune_state(state, settings | options, architecture, data()).passes


@pytest.mark.parametrize(
    'kind, options, forward, backward',
    [
        ('L1NormPruner', {}, 0, 0),
        ('RandomPruner', {}, 0, 0),
        ('ImportancePruner', dict(importance='activation', images=10), 10, 0),
        ('ImportancePruner', dict(importance='taylor', images=10), 10, 10),
        ('ImportancePruner', dict(importance='hessian', images=5), 5, 5),
        ('ImportancePruner', dict(importance='taylor', images=99), IMAGES, IMAGES),
        ('ThiNetPruner', dict(images=10), 20, 0),  # a look for each of two layers
        ('ThiNetPruner', dict(images=10, compensate=True), 30, 0),  # and one before
        ('RegressionPruner', dict(images=10), 30, 0),
    ],
)
def test_every_look_counts(parents, kind, options, forward, backward):
    assert passes(parents, kind, **options) == Passes(forward, backward)


def test_a_backward_pass_costs_two_forward_ones():
    assert Passes(10, 4).as_forward == 18


def test_counting_changes_nothing_and_ends(parents):
    architecture, state = parents('cifar-resnet')
    network = architecture.network_with(state).eval()
    images = data()[0][0].requires_grad_()
    before = torch.autograd.grad(network(images).sum(), images)[0]
    with counted_passes(network) as counter:
        after = torch.autograd.grad(network(images).sum(), images)[0]
    network(images)
    assert torch.equal(before, after)
    assert counter.passes == Passes(8, 8)


def test_a_method_without_its_data_is_still_refused(parents):
    architecture, state = parents('cifar-resnet')
    with pytest.raises(UserError, match='looks at images'):
        prune_state(state, dict(type='ThiNetPruner', ratios=0.5), architecture)
