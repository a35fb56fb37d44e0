"""Filters of the largest L1 norm stay; so come the published architectures about."""

import pytest
import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.errors import UserError
from rethink_det.pruning import L1NormPruner, prune

# Ratios by stage and skipped convolutions, numbered as in arXiv 1608.08710's networks: 1 is
# the stem, 2k + 2 the first convolution of the k-th block.
PUBLISHED = {
    'resnet56-a': ((0.1, 0.1, 0.1), (16, 20, 38, 54)),
    'resnet56-b': ((0.6, 0.3, 0.1), (16, 18, 20, 34, 38, 54)),
    'resnet34-a': ((0.3, 0.3, 0.3, 0), (2, 8, 14, 16, 26, 28, 30, 32)),
    'resnet34-b': ((0.5, 0.6, 0.4, 0), (2, 8, 14, 16, 26, 28, 30, 32)),
}
BLOCKS = {'resnet56': (9, 9, 9), 'resnet34': (3, 4, 6, 3)}


@pytest.mark.parametrize('name', PUBLISHED)
def test_l1_norm_finds_the_published_architectures(name):
    ratios, skipped = PUBLISHED[name]
    parent = PrunedArchitecture.load(name.partition('-')[0])
    blocks = [
        f'layer{stage}.{block}.conv1'
        for stage, count in enumerate(BLOCKS[parent.name], 1)
        for block in range(count)
    ]
    pruner = dict(
        type='L1NormPruner',
        ratios={f'layer{stage}.*': ratio for stage, ratio in enumerate(ratios, 1)},
        skip=[blocks[(number - 2) // 2] for number in skipped],
    )
    found = prune(parent.build_network(), pruner, parent).architecture
    assert found.shape().diff(PrunedArchitecture.load(name)) == []


@pytest.mark.parametrize(
    'norms, keep, expected',
    [
        ([1, 3, 4, 2], 2, (1, 2)),
        ([4, 1, 2, 3], 3, (0, 2, 3)),
        ([2, 5, 2, 2], 2, (0, 1)),
        ([2, 2, 2, 2], 3, (0, 1, 2)),
        ([1, 1, 2, 1], 2, (0, 2)),
        ([0, 0, 0, 1], 1, (3,)),
    ],
)
def test_l1_norm_keeps_the_largest_and_of_equals_the_first(cifar, norms, keep, expected):
    network = cifar().build_network()
    weight = network.backbone.layer1[0].conv1.weight
    signs = torch.where(torch.arange(weight[0].numel()) % 2 == 0, 1.0, -1.0).view_as(weight[0])
    with torch.no_grad():
        for filter_, norm in zip(weight, norms, strict=True):
            filter_.copy_(signs * norm)
    pruner = dict(type='L1NormPruner', ratios={'layer1.0.conv1': 1 - keep / 4})
    result = prune(network, pruner, cifar())
    assert result.architecture.channels == {'layer1.0.conv1': expected}
    assert torch.equal(result.state_dict['backbone.layer1.0.conv1.weight'], weight[list(expected)])


def test_l1_norm_ranks_by_absolute_sums_not_by_squares_or_signs():
    conv = torch.nn.Conv2d(1, 3, (1, 2))
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([[-3.0, -3.0], [5.0, 0.0], [1.0, -1.0]]).view(3, 1, 1, 2))
    assert L1NormPruner(ratios=0.5).score('any', conv).tolist() == [6, 5, 2]


def test_ratios_may_come_without_their_name():
    assert L1NormPruner(0.3).ratios == L1NormPruner(ratios=0.3).ratios == {'*': 0.3}
    with pytest.raises(UserError, match='needs either ratios or a target'):
        L1NormPruner(groups='coupled')
