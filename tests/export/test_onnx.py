"""ONNX files: they compute what PyTorch does, and none that does not is handed out."""

import json
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import rethink_det
from rethink_det import UserError
from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.export.onnx import (
    TOLERANCE,
    Exportable,
    OnnxNetwork,
    largest_difference,
    to_onnx,
)
from tests.slow_ones import slow_where

pytest.importorskip('onnx')
pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

POOLED = dict(type='rethink_det.LinearHead', num_classes=4)
HIDDEN = dict(type='rethink_det.MLPHead', num_classes=4, hidden=[12], pool=1, norm=True, dropout=0)
RESNET18 = dict(type='mmdet.ResNet', depth=18, base_channels=8, stem_channels=8)
RESNEXT = dict(
    type='mmdet.ResNeXt', depth=50, groups=4, base_width=4, base_channels=16, stem_channels=16
)


def ours(name, **settings):
    return dict(type=f'rethink_det.{name}', **settings)


LONG = 'resnext|blocks|densenet|subsampling|selections|vgg'
NETWORKS = {
    'cut': (
        ours('CifarResNet', depth=8),
        POOLED,
        Cut({'layer1.0.conv1': (0, 3, 4), 'layer3.0.conv1': tuple(range(20))}),
    ),
    'subsampling': (ours('CifarResNet', depth=8, shortcut='subsample'), POOLED, Cut()),
    'appending': (
        ours('CifarResNet', depth=8, shortcut='subsample-append'),
        {**POOLED, 'init_std': 'kaiming'},
        Cut({'layer2.0.conv1': (0, 3, 4)}),
    ),
    'vgg': (
        ours('VGG', depth=11, conv_bias=False, last_pool=False),
        HIDDEN,
        Cut({'features.0': tuple(range(0, 64, 2)), 'head.classifier.0': (1, 2, 5)}),
    ),
    'selections': (
        ours('PreResNet', depth=20),
        POOLED,
        Cut(
            {'layer1.0.conv2': (0, 1, 5)},
            {'layer1.0.conv1': (1, 2, 7), 'layer2.0.conv1': (0, 3, 4, 9)},
        ),
    ),
    'densenet': (
        ours('DenseNet', depth=10, growth=4),
        POOLED,
        Cut(selections={'dense1.1.conv1': (0, 2, 3), 'dense2.0.conv1': (1, 4, 5, 9)}),
    ),
    'removed-blocks': (
        RESNET18,
        POOLED,
        Cut({'layer1.0.conv1': (0, 2)}, blocks=('layer1.1', 'layer2.0')),
    ),
    'resnext': (RESNEXT, POOLED, Cut({'layer1.0.conv3': tuple(range(0, 64, 2))})),
}


@torch.no_grad()
def settled(network, shape):
    """A network whose BatchNorms know what they read, so that what it puts out varies."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0
            module.train()
    network(torch.randn(16, *shape))
    return network


@pytest.fixture
def network(unsettle):
    """Makes a pruned network by name, with lively BatchNorms, and its architecture."""

    def make(name):
        backbone, head, cut = NETWORKS[name]
        size = 64 if backbone['type'].startswith('mmdet.') else 16
        parent = PrunedArchitecture(backbone, head, (3, size, size))
        torch.manual_seed(0)
        state = unsettle(parent.build_network()).state_dict()
        small = parent.after(cut)
        model = small.network_with(small.inherit(state))
        return settled(model, small.input_shape), small

    return make


def exportable(network, shape=(3, 16, 16), **fields):
    return Exportable(network, shape, ('scores',), **fields)


@pytest.mark.parametrize(
    'name', slow_where('resnext|blocks|densenet|subsampling|selections|vgg', NETWORKS)
)
def test_every_kind_of_pruned_network_computes_the_same(network, name):
    model, architecture = network(name)
    whole = exportable(model, architecture.input_shape)
    content, difference = to_onnx(whole)
    assert difference <= TOLERANCE
    images = whole.random_images(5, seed=7)  # neither a batch nor images that export tried
    (scores,), (expected,) = OnnxNetwork(content).run(images), whole.run(images)
    assert expected.std(0).min() > 0.01 * expected.abs().max()  # images do matter
    torch.testing.assert_close(scores, expected, rtol=1e-3, atol=1e-4 * expected.abs().max())


@pytest.mark.slow
def test_a_backbone_puts_out_all_its_maps(network):
    model, architecture = network('removed-blocks')
    names = tuple('abcd')
    maps = Exportable(model.backbone, architecture.input_shape, names)
    content, _ = to_onnx(maps)
    peer = OnnxNetwork(content)
    assert tuple(output.name for output in peer.session.get_outputs()) == names
    images = maps.random_images(2, seed=7)
    for found, expected in zip(peer.run(images), maps.run(images), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def tiny(*layers):
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), *layers)


def test_a_fixed_batch_is_kept_and_metadata_are_told():
    whole = exportable(tiny(), (3, 4, 4), batch=2, meta={'names': ['a', 'b']})
    session = OnnxNetwork(to_onnx(whole)[0]).session
    assert session.get_inputs()[0].shape == [2, 3, 4, 4]
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told['names']) == ['a', 'b']


def test_a_file_says_nothing_of_the_machine(network):
    model, architecture = network('cut')
    content, _ = to_onnx(exportable(model, architecture.input_shape))
    for path in (Path(rethink_det.__file__).parent, Path(torch.__file__).parent):
        assert str(path).encode() not in content
    weights = 4 * sum(p.numel() for p in model.parameters())
    assert len(content) < 1.2 * weights + 20_000


class Threshold(nn.Module):
    """Reads a setting besides its images."""

    def forward(self, images, least):
        return images.clamp(min=least)


def test_a_setting_may_be_left_out_or_given():
    whole = exportable(Threshold(), (1, 2, 2), batch=1, settings={'least': 0.5})
    peer = OnnxNetwork(to_onnx(whole)[0])
    images = torch.tensor([[[[-1.0, 0.2], [0.7, 2.0]]]])
    assert peer.run(images)[0].min() == 0.5
    assert peer.run(images, least=1.5)[0].min() == 1.5
    assert whole.run(images, least=1.5)[0].min() == 1.5


class Noise(nn.Module):
    """Never the same twice: onnxruntime cannot agree."""

    def forward(self, images):
        return images + torch.rand_like(images)


class Nan(nn.Module):
    def forward(self, images):
        return images / (images - images)


class OtherForTwo(nn.Module):
    """The exporter sees two images and takes that branch for good."""

    def forward(self, images):
        return images * 2 if len(images) == 2 else images


@pytest.mark.parametrize('network, by', [(Noise(), r'\d\.\de-01'), (Nan(), 'nan')])
def test_disagreement_is_refused(network, by):
    with pytest.raises(UserError, match=f'disagree on random images by {by}'):
        to_onnx(exportable(network, (1, 4, 4)))


def test_a_branch_taken_for_good_is_refused():
    with pytest.raises(UserError, match='onnxruntime (cannot run|and PyTorch disagree)'):
        to_onnx(exportable(OtherForTwo(), (1, 4, 4)))


class Peer:
    """Puts out one image's worth."""

    def run(self, images):
        return [images[:1]]


def test_other_shapes_are_no_agreement():
    whole = exportable(nn.Identity())
    assert largest_difference(whole, Peer(), torch.ones(2, 3)) == float('inf')


class Undecided(nn.Module):
    """Which branch it takes hangs on its images."""

    def forward(self, images):
        return images if images.sum() > 0 else -images


def test_what_has_no_graph_is_refused():
    with pytest.raises(UserError, match='Undecided cannot be exported to ONNX: .*--batch 1'):
        to_onnx(exportable(Undecided(), (1, 4, 4)))


def test_a_file_that_is_none_is_refused():
    with pytest.raises(UserError, match='onnxruntime cannot run the exported network'):
        OnnxNetwork(b'none')


@pytest.mark.parametrize('missing', ['onnx', 'onnxscript', 'onnxruntime'])
def test_without_the_extra_it_says_how_to_install_it(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UserError, match=rf'{missing}, .*pip install .rethink-det\[export\]'):
        to_onnx(exportable(nn.Identity()))
