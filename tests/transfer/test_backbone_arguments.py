"""The arguments that a backbone knows, its base classes' and those that it hands on included."""

import inspect

import pytest

from rethink_det.transfer.backbone_arguments import HANDED_ON, backbone_arguments


@pytest.mark.parametrize(
    'name, argument, default',
    [
        ('mmdet.ResNet', 'out_indices', (0, 1, 2, 3)),
        ('mmdet.ResNet', 'depth', inspect.Parameter.empty),
        ('mmdet.ResNeXt', 'out_indices', (0, 1, 2, 3)),  # of its base class
        ('rethink_det.TimmBackbone', 'out_indices', None),
        ('rethink_det.TorchvisionBackbone', 'out_indices', None),
    ],
)
def test_arguments_have_their_defaults(name, argument, default):
    assert backbone_arguments(name)[argument] == default


def test_what_a_class_hands_on_is_known():
    pytest.importorskip('mmpretrain')
    for name, keys in HANDED_ON.items():
        assert keys.items() <= backbone_arguments(name).items()


def test_an_unknown_class_has_no_arguments():
    assert backbone_arguments('mmdet.NoSuchBackbone') == {}
    with pytest.raises(KeyError):
        backbone_arguments('mmdet.ResNet')['model_name']
