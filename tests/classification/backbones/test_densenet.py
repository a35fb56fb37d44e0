"""DenseNet: who is connected to whom, plain and BC."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rethink_det import UserError
from rethink_det.classification import DenseNet
from rethink_det.classification.backbones.densenet import DenseLayer, Transition


def convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    return {name: m for name, m in network.named_modules() if isinstance(m, nn.Conv2d)}


@pytest.mark.parametrize('bottleneck', [True, False])
def test_a_layer_appends_what_it_makes_of_all_before(bottleneck, unsettle):
    layer = unsettle(DenseLayer(5, 3, bottleneck)).eval()
    x = torch.randn(2, 5, 4, 4)
    out = layer(x)
    assert out.shape == (2, 8, 4, 4) and torch.equal(out[:, :5], x)
    new = layer.conv1(F.relu(layer.bn1(x)))
    if bottleneck:
        assert new.shape[1] == 12 and layer.conv1.kernel_size == (1, 1)
        new = layer.conv2(F.relu(layer.bn2(new)))
    assert torch.equal(out[:, 5:], new)


def test_a_transition_halves_the_map(unsettle):
    transition = unsettle(Transition(6, 4)).eval()
    x = torch.randn(2, 6, 4, 4)
    expected = F.avg_pool2d(transition.conv1(F.relu(transition.bn1(x))), 2)
    assert torch.equal(transition(x), expected) and expected.shape == (2, 4, 2, 2)


def test_three_dense_blocks_grow_by_their_layers():
    features = DenseNet(10, growth=4)(torch.randn(2, 3, 16, 16))  # two layers a block
    assert [f.shape for f in features] == [(2, 16, 16, 16), (2, 24, 8, 8), (2, 32, 4, 4)]
    assert features[-1].min() == 0 > features[0].min()  # only the last has passed a ReLU


def test_compression_narrows_the_transitions():
    network = DenseNet(10, growth=4, compression=0.4)
    assert network.trans1.conv1.out_channels == 6  # of 16
    assert network.trans2.conv1.out_channels == 5  # of 14
    assert network.bn.num_features == 13


@pytest.mark.parametrize('depth, bottleneck', [(40, False), (7, False), (40, True), (100, True)])
def test_depth_counts_the_layers_with_weights(depth, bottleneck):
    with torch.device('meta'):
        network = DenseNet(depth, bottleneck=bottleneck)
    assert len(convolutions(network)) + 1 == depth  # and the head


def test_the_published_bc_100():
    with torch.device('meta'):
        network = DenseNet(100, growth=12, compression=0.5, bottleneck=True)
    found = convolutions(network)
    assert sum(conv.weight.numel() for conv in found.values()) == 741_744
    assert found['conv1'].out_channels == 24 and network.bn.num_features == 342


def test_names():
    names = [n for n, _ in DenseNet(10, bottleneck=True).named_parameters() if 'bias' not in n]
    assert names == [
        'conv1.weight',
        'dense1.0.bn1.weight', 'dense1.0.conv1.weight', 'dense1.0.bn2.weight',
        'dense1.0.conv2.weight', 'trans1.bn1.weight', 'trans1.conv1.weight',
        'dense2.0.bn1.weight', 'dense2.0.conv1.weight', 'dense2.0.bn2.weight',
        'dense2.0.conv2.weight', 'trans2.bn1.weight', 'trans2.conv1.weight',
        'dense3.0.bn1.weight', 'dense3.0.conv1.weight', 'dense3.0.bn2.weight',
        'dense3.0.conv2.weight', 'bn.weight',
    ]  # fmt: skip


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(depth=41), r'without bottlenecks must be 3n \+ 4 .*got 41'),
        (dict(depth=4), r'without bottlenecks must be 3n \+ 4 .*got 4'),
        (dict(depth=43, bottleneck=True), r'with bottlenecks must be 6n \+ 4 .*got 43'),
        (dict(growth=0), 'growth must be a whole number of at least 1, got 0'),
        (dict(compression=0.0), 'compression must be above 0 and at most 1, got 0'),
        (dict(compression=1.5), 'compression must be above 0 and at most 1, got 1.5'),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        DenseNet(**settings)


@pytest.mark.parametrize('depth', ['40', None, 40.0])
def test_a_depth_that_is_no_whole_number_is_refused(depth):
    with pytest.raises(UserError, match=rf'depth .* must be 3n \+ 4 .*, got {depth}'):
        DenseNet(depth)


@pytest.mark.parametrize('growth', [1.5, '12', None])
def test_a_growth_that_is_no_count_is_refused(growth):
    with pytest.raises(UserError, match='growth must be a whole number of at least 1, got'):
        DenseNet(10, growth=growth)


def test_a_compression_that_is_no_number_is_refused():
    with pytest.raises(UserError, match="compression must be a finite number, got 'half'"):
        DenseNet(10, compression='half')
