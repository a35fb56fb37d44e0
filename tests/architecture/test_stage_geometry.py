"""A ResNet with other strides and dilations computes what a library's own with them does."""

import pytest
import torch
from torchvision.models import resnet50

from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.stage_geometry import set_geometry
from rethink_det.errors import UserError
from rethink_det.registered import build
from rethink_det.registry import MODELS

D8 = dict(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), contract_dilation=True)
D16 = dict(strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2), contract_dilation=True)
GRID = dict(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), multi_grid=(4, 8, 16))
IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def alike(one, other, unsettle):
    """Whether two networks of the same weights compute the same."""
    other.load_state_dict(unsettle(one).state_dict())
    one.eval(), other.eval()
    found, wanted = (x if isinstance(x, tuple) else (x,) for x in (one(IMAGES), other(IMAGES)))
    assert [a.shape for a in found] == [b.shape for b in wanted]
    scale = max(float(b.abs().max()) for b in wanted)
    furthest = max(float((a - b).abs().max()) for a, b in zip(found, wanted, strict=True))
    return scale > 0 and furthest < 1e-5 * scale


@torch.no_grad()
@pytest.mark.parametrize(
    'geometry, replaced', [(D8, [False, True, True]), (D16, [False, False, True])]
)
def test_torchvisions_own_dilation_is_the_same(geometry, replaced, unsettle):
    ours = resnet50()
    set_geometry(ours, geometry)
    assert alike(ours, resnet50(replace_stride_with_dilation=replaced), unsettle)


@torch.no_grad()
@pytest.mark.parametrize('geometry', [D8, D16, GRID])
@pytest.mark.parametrize('kind', ['ResNet', 'ResNetV1c', 'ResNetV1d'])
def test_mmsegmentations_own_are_the_same(kind, geometry, unsettle):
    pytest.importorskip('mmseg')
    settings = dict(type=f'mmseg.{kind}', depth=50)
    ours = build(MODELS, settings)
    set_geometry(ours, geometry)
    assert alike(ours, build(MODELS, settings | geometry), unsettle)


@torch.no_grad()
def test_a_pruned_backbone_takes_it_and_gives_it_back(unsettle):
    kept = {'layer3.0.conv1': 40, 'layer4.1.conv2': 100}
    small = PrunedArchitecture(
        dict(type='mmdet.ResNet', depth=50), dict(type='rethink_det.LinearHead', num_classes=2),
        (3, 64, 64), kept,
    )  # fmt: skip
    fine = small.build(geometry=D8)
    assert [tuple(one.shape[2:]) for one in fine(IMAGES)] == [(16, 16), (8, 8), (8, 8), (8, 8)]
    assert fine.layer3[0].conv1.out_channels == 40
    set_geometry(fine, dict(strides=(1, 2, 2, 2), dilations=(1, 1, 1, 1)))
    assert alike(fine, small.build(), unsettle)


@pytest.mark.parametrize(
    'geometry, words',
    [
        (dict(stride=(1, 2, 2, 2)), 'not stride'),
        (dict(strides=(1, 2)), 'nothing of the stage 3 of 4'),
        (GRID | dict(multi_grid=(1,)), 'has 1 of 3 blocks'),
    ],
)
def test_what_is_no_geometry_is_refused(geometry, words):
    with pytest.raises(UserError, match=words):
        set_geometry(resnet50(), geometry)


def test_a_network_without_stages_has_none():
    with pytest.raises(UserError, match='has no stages that geometry is for'):
        set_geometry(torch.nn.Linear(2, 2), D8)
