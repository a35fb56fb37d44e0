"""An architecture says something of layers that its network has."""

import json

import pytest

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture

BACKBONE = dict(type='rethink_det.CifarResNet', depth=8, base_channels=4)
HEAD = dict(type='rethink_det.LinearHead', num_classes=3)


def described(**fields):
    return PrunedArchitecture(**{
        'backbone': BACKBONE, 'head': HEAD, 'input_shape': (3, 16, 16), **fields
    })  # fmt: skip


@pytest.fixture
def loaded(tmp_path):
    """Load a file that says this of its masks."""

    def load(**kept):
        path = tmp_path / 'masked.json'
        architecture = described(masks={'digest': 'abc', 'kept': kept})
        path.write_text(json.dumps(architecture.to_dict()))
        return PrunedArchitecture.load(path)

    return load


def test_masks_of_the_networks_own_weights_are_read(loaded):
    name = 'backbone.conv1.weight'
    assert loaded(**{name: 108}).masked() == {name: (108, 4 * 3 * 3 * 3)}


def test_a_mask_of_what_the_network_has_not_is_refused_by_file(loaded):
    with pytest.raises(UserError, match='masked.json: masks keep 3 .* of backbone.conv9.weight; r'):
        loaded(**{'backbone.conv9.weight': 3})


def test_a_mask_that_keeps_more_than_there_is_is_refused(loaded):
    with pytest.raises(UserError, match='keep 109 weights of .*conv1.weight; .* has 108 weights'):
        loaded(**{'backbone.conv1.weight': 109})


def test_the_width_of_a_strange_layer_is_refused_with_those_there_are():
    with pytest.raises(UserError, match=r"There is no layer 'conv9'; there are conv1, layer1.0.co"):
        described().kept('conv9')


def test_the_inputs_of_a_strange_layer_are_refused():
    with pytest.raises(UserError, match='Layer backbone.conv9 cannot select .*it is missing'):
        described().inputs('conv9')
