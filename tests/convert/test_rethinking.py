"""Files of the code of arXiv 1810.05270: its ResNet-50s and VGGs, read without being told."""

import pytest
import torch
import torchvision
from torch import nn

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.convert import convert_checkpoint
from rethink_det.convert.known_networks import identify


class Selecting(torchvision.models.resnet.Bottleneck):
    """A bottleneck whose ``conv1`` reads a part of what the shortcut sees whole."""

    def forward(self, x):
        out = x[:, self.selection.indexes.nonzero().flatten()]
        for conv, bn in ((self.conv1, self.bn1), (self.conv2, self.bn2)):
            out = bn(conv(out)).relu()
        shortcut = self.downsample(x) if self.downsample else x
        return (self.bn3(self.conv3(out)) + shortcut).relu()


def selecting_resnet50(architecture, classes):
    """torchvision's ResNet-50 with a selection in each block and biased projections."""
    network = torchvision.models.resnet50(weights=None, num_classes=classes)
    for place, block in network.named_modules():
        if not isinstance(block, torchvision.models.resnet.Bottleneck):
            continue
        block.__class__, width = Selecting, block.conv1.in_channels
        reads = architecture.selections[f'{place}.conv1']
        first, second = (architecture.kept(f'{place}.conv{i}') for i in (1, 2))
        block.selection = nn.Module()
        block.selection.indexes = nn.Parameter(
            torch.zeros(width).index_fill(0, torch.tensor(reads), 1)
        )
        block.conv1 = nn.Conv2d(len(reads), first, 1, bias=False)
        block.conv2 = nn.Conv2d(first, second, 3, block.stride, 1, bias=False)
        block.conv3 = nn.Conv2d(second, block.conv3.out_channels, 1, bias=False)
        block.bn1, block.bn2 = nn.BatchNorm2d(first), nn.BatchNorm2d(second)
        if block.downsample:
            block.downsample[0] = nn.Conv2d(width, block.conv3.out_channels, 1, block.stride)
    return network.eval()


def one_layer_vgg(architecture, classes):
    """torchvision's VGG-16 with their widths, no fifth pool, and one linear layer in a list."""
    network = torchvision.models.vgg16(weights=None, num_classes=classes)
    layers, inputs = list(network.features)[:-1], 3
    for place, layer in enumerate(layers):
        if isinstance(layer, nn.Conv2d):
            width = architecture.kept(f'features.{place}')
            layers[place], inputs = nn.Conv2d(inputs, width, 3, padding=1), width
    network.features = nn.Sequential(*layers)
    network.avgpool = nn.AdaptiveAvgPool2d(1)
    network.classifier = nn.Sequential(nn.Linear(inputs, classes))
    return network.eval()


BUILDERS = {
    'resnet50-2x': selecting_resnet50,
    'vgg16-thinet-gap': one_layer_vgg,
    'vgg16-thinet-tiny': one_layer_vgg,
}


@pytest.fixture
def saved(tmp_path):
    """Writes a state dict as ``DataParallel`` of that code leaves it, and returns its file."""

    def write(state):
        path = tmp_path / 'model_best.pth.tar'
        torch.save({'epoch': 90, 'state_dict': {f'module.{n}': t for n, t in state.items()}}, path)
        return path

    return write


def theirs(name, classes=1000):
    architecture = PrunedArchitecture.load(name)
    return architecture, BUILDERS[name](architecture, classes)


@torch.no_grad()
@pytest.mark.parametrize(
    'name',
    [
        pytest.param('resnet50-2x', marks=pytest.mark.slow),
        pytest.param('vgg16-thinet-gap', marks=pytest.mark.slow),
        'vgg16-thinet-tiny',
    ],
)
def test_their_networks_compute_what_they_did_there(saved, unsettle, name):
    architecture, network = theirs(name)
    unsettle(network)
    converted = convert_checkpoint(saved(network.state_dict()))
    assert converted.architecture == architecture
    assert f'the base is {name} of ' in converted.inferred[0]
    images = torch.randn(1, 3, 64, 64)
    ours = converted.architecture.network_with(converted.state_dict).eval()
    expected = network(images)
    assert expected.std() > 1e-3
    assert torch.allclose(ours(images), expected, rtol=1e-4, atol=1e-4)


def test_a_resnet_is_told_from_the_others_by_its_shapes():
    architecture = PrunedArchitecture.load('resnet50-thinet-50')
    state = architecture.skeleton().state_dict()
    own = {n.removeprefix('backbone.').removeprefix('head.'): t for n, t in state.items()}
    assert identify(own, 'a file') == architecture


def test_another_selection_of_as_many_channels_is_what_the_file_says(saved):
    _, network = theirs('resnet50-2x')
    state = network.state_dict()
    state['layer1.0.selection.indexes'] = state['layer1.0.selection.indexes'].roll(1)
    converted = convert_checkpoint(saved(state))
    reads = tuple(state['layer1.0.selection.indexes'].nonzero().flatten().tolist())
    assert converted.architecture.selections['layer1.0.conv1'] == reads
    assert converted.architecture != PrunedArchitecture.load('resnet50-2x')


def test_a_selection_that_is_not_as_wide_as_what_reads_it_is_refused(saved):
    _, network = theirs('resnet50-2x')
    state = network.state_dict()
    indexes = state['layer2.1.selection.indexes'].clone()
    indexes[indexes.nonzero()[0]] = 0
    state['layer2.1.selection.indexes'] = indexes
    with pytest.raises(UserError, match='layer2.1.conv1'):
        convert_checkpoint(saved(state))


def test_another_vgg_with_one_layer_needs_a_base(saved):
    _, network = theirs('vgg16-thinet-tiny')
    state = network.state_dict()
    state['features.0.weight'] = state['features.0.weight'][:8]
    with pytest.raises(UserError, match='vgg16-thinet-gap, vgg16-thinet-tiny are called alike'):
        convert_checkpoint(saved(state))


def test_two_layers_of_a_list_are_no_one_layer(saved):
    _, network = theirs('vgg16-thinet-tiny')
    state = network.state_dict()
    state |= {f'classifier.3.{leaf}': state[f'classifier.0.{leaf}'] for leaf in ('weight', 'bias')}
    with pytest.raises(UserError, match='head.fc.weight twice, once as classifier.3|no network'):
        convert_checkpoint(saved(state))
    with pytest.raises(UserError, match='has the tensor head.fc.* twice'):
        convert_checkpoint(saved(state), 'vgg16-thinet-tiny')
