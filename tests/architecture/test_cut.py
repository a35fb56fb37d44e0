"""Parts that contradict each other, or are not there, are not removed."""

import pytest

from rethink_det import UserError
from rethink_det.architecture import Cut, PrunedArchitecture, Surgeon


@pytest.fixture
def surgeon():
    architecture = PrunedArchitecture(
        dict(type='rethink_det.CifarResNet', depth=8, base_channels=4),
        dict(type='rethink_det.LinearHead', num_classes=3),
        (3, 16, 16),
    )
    return Surgeon(architecture.build_network(), (3, 16, 16), prefix='backbone.')


def test_a_layer_in_a_removed_block_is_refused(surgeon):
    cut = Cut(channels={'layer2.0.conv1': [0, 1]}, blocks=['layer2.0'])
    with pytest.raises(UserError, match='Layer layer2.0.conv1 lies in the removed block layer2.0'):
        cut.apply(surgeon)


def test_a_layer_does_not_select_from_channels_that_are_cut(surgeon):
    cut = Cut(channels={'layer2.0.conv1': [0, 1]}, selections={'layer2.0.conv2': [0, 1]})
    with pytest.raises(UserError, match='Layer layer2.0.conv2 selects from channels that are cut'):
        cut.apply(surgeon)


def test_a_strange_block_is_refused_with_those_there_are(surgeon):
    with pytest.raises(UserError, match=r"no residual block 'layer9.0'; it has layer1.0, layer2.0"):
        Cut(blocks=['layer9.0']).apply(surgeon)


def test_inputs_that_a_layer_does_not_read_are_refused(surgeon):
    with pytest.raises(UserError, match='layer1.0.conv1.* channel 4; valid are 0 to 3'):
        Cut(selections={'layer1.0.conv1': [0, 4]}).apply(surgeon)
