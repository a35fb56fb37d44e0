"""What the backbone of a config is."""

import pytest

from rethink_det import UserError
from rethink_det.architecture.backbone import configured_architecture, named_architecture

CIFAR = dict(type='rethink_det.CifarResNet', depth=8)


@pytest.mark.parametrize('left_out', ['head', 'input_shape'])
def test_an_unpruned_network_without_head_or_shape_is_refused(left_out):
    settings = dict(head=dict(type='rethink_det.LinearHead', num_classes=3), input_shape=(3, 8, 8))
    with pytest.raises(UserError, match='CifarResNet needs a head and an input_shape, a pruned o'):
        configured_architecture(CIFAR, **{**settings, left_out: None})


def test_a_pruned_backbone_without_architecture_is_refused():
    with pytest.raises(UserError, match='PrunedBackbone needs its architecture: a name, a file'):
        named_architecture(dict(type='rethink_det.PrunedBackbone'))


def test_another_backbone_names_no_architecture():
    assert named_architecture(CIFAR) is None
