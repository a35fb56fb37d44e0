"""Networks of timm as backbones; timm is optional."""

from importlib.util import find_spec

import pytest
import torch

from rethink_det.architecture import Cut, PrunedArchitecture
from rethink_det.errors import UserError

HEAD = dict(type='rethink_det.LinearHead', num_classes=5)


def architecture(name):
    backbone = dict(type='rethink_det.TimmBackbone', model_name=name)
    return PrunedArchitecture(backbone, HEAD, (3, 64, 64))


@pytest.mark.skipif(find_spec('timm') is not None, reason='timm is installed')
def test_without_timm_it_is_named():
    with pytest.raises(UserError, match="'resnet18' is one of timm.*pip install timm"):
        architecture('resnet18').build()


@torch.no_grad()
def test_maps_have_the_strides_that_detectors_read():
    pytest.importorskip('timm')
    backbone = architecture('resnet18').build(out_indices=(1, 2, 3, 4)).eval()
    maps = backbone(torch.zeros(1, 3, 64, 64))
    assert [m.shape[1:] for m in maps] == [(64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)]


def test_its_outputs_can_be_pruned():
    pytest.importorskip('timm')
    small = architecture('resnet18').after(Cut(channels={'network.layer2.0.conv2': range(100)}))
    maps = small.build(out_indices=(1, 2, 3, 4))(torch.zeros(2, 3, 64, 64))
    assert [m.shape[1] for m in maps] == [64, 100, 256, 512]


def test_an_unknown_network_is_refused():
    pytest.importorskip('timm')
    with pytest.raises(UserError, match='resnet-no'):
        architecture('resnet-no').build()
