"""Torchvision's weights fit these networks, name by name and shape by shape."""

import pytest
import torch
import torchvision
from torchvision.models import vgg

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.architecture.network import Network, build_backbone, build_head

LINEAR = dict(type='rethink_det.LinearHead', num_classes=1000)
MLP = dict(type='rethink_det.MLPHead', num_classes=1000)
NETWORKS = {
    'vgg16': (dict(type='rethink_det.VGG', depth=16, norm=False), MLP),
    'vgg16_bn': (dict(type='rethink_det.VGG', depth=16), MLP),
    'vgg11_bn': (dict(type='rethink_det.VGG', depth=11), MLP),
    'vgg19': (dict(type='rethink_det.VGG', depth=19, norm=False), MLP),
    'vgg13_bn': (dict(type='rethink_det.VGG', depth=13), MLP),
    'resnet34': (dict(type='mmdet.ResNet', depth=34), LINEAR),
    'resnet50': (dict(type='mmdet.ResNet', depth=50), LINEAR),
}


@pytest.mark.parametrize('name', NETWORKS)
def test_names_and_shapes_are_torchvisions(name):
    with torch.device('meta'):
        theirs = Checkpoint.from_dict(
            torchvision.models.get_model(name, weights=None).state_dict()
        ).weights
        backbone = build_backbone(NETWORKS[name][0])
        ours = Network(backbone, build_head(NETWORKS[name][1], backbone, (3, 224, 224)))
    found = {name: tensor.shape for name, tensor in ours.state_dict().items()}
    assert found == {name: tensor.shape for name, tensor in theirs.items()}


@torch.no_grad()
def test_with_torchvisions_weights_vgg_computes_what_torchvisions_does(unsettle):
    torch.manual_seed(0)
    theirs = unsettle(vgg.make_layers(vgg.cfgs['A'], batch_norm=True)).eval()
    ours = build_backbone(dict(type='rethink_det.VGG', depth=11)).eval()
    ours.load_state_dict({f'features.{name}': t for name, t in theirs.state_dict().items()})
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(ours(images)[-1], theirs(images))
