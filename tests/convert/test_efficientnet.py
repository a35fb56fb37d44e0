"""EfficientNets of other code: known by their names, and computing what they did there."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.convert import convert_checkpoint
from rethink_det.convert.known_networks import EFFICIENTNET_LITE, identify
from tests.efficientnet_names import lukemelas

timm = pytest.importorskip('timm')


@pytest.fixture
def saved(tmp_path):
    """Writes a checkpoint and returns its file."""

    def write(state):
        torch.save(state, tmp_path / 'foreign.pth')
        return tmp_path / 'foreign.pth'

    return write


def theirs(name, unsettle, **settings):
    torch.manual_seed(0)
    return unsettle(timm.create_model(name, **settings)).eval()


@torch.no_grad()
def difference(network, converted, side=64):
    images = torch.randn(2, 3, side, side)
    own = converted.architecture.network_with(converted.state_dict).eval()
    scores = network(images)
    return ((own(images) - scores).abs().max() / scores.abs().max()).item()


@pytest.mark.parametrize('number', range(5))
def test_each_lite_one_is_known_by_its_tensors(number):
    with torch.device('meta'):
        state = timm.create_model(f'tf_efficientnet_lite{number}').state_dict()
    assert identify(lukemelas(state), 'a file') == EFFICIENTNET_LITE[f'efficientnet-lite{number}']


def test_names_of_lukemelas_compute_what_they_did_there(saved, unsettle):
    network = theirs('tf_efficientnet_lite0', unsettle, num_classes=7)
    converted = convert_checkpoint(saved(lukemelas(network.state_dict())))
    assert converted.architecture.head == dict(type='rethink_det.ConvHead', num_classes=7)
    assert difference(network, converted) <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize('rename', [dict, lukemelas])
def test_squeeze_and_excitation_has_its_names_too(saved, unsettle, rename):
    network = theirs('tf_efficientnet_b0', unsettle, num_classes=7)
    backbone = dict(type='rethink_det.TimmBackbone', model_name='tf_efficientnet_b0')
    head = dict(type='rethink_det.ConvHead', num_classes=7, activation='SiLU')
    base = PrunedArchitecture(backbone, head, (3, 224, 224))
    converted = convert_checkpoint(saved(rename(network.state_dict())), base)
    assert difference(network, converted) <= 1e-5


def test_other_networks_of_timm_have_its_names(saved, unsettle):
    network = theirs('resnet18', unsettle, num_classes=7)
    backbone = dict(type='rethink_det.TimmBackbone', model_name='resnet18')
    head = dict(type='rethink_det.LinearHead', num_classes=7)
    base = PrunedArchitecture(backbone, head, (3, 64, 64))
    assert difference(network, convert_checkpoint(saved(network.state_dict()), base)) <= 1e-5


def test_names_of_timm_do_not_tell_how_it_pads(saved, unsettle):
    state = theirs('efficientnet_lite0', unsettle).state_dict()
    with pytest.raises(UserError, match='no network .* say by --base'):
        convert_checkpoint(saved(state))
    converted = convert_checkpoint(saved(state), 'efficientnet-lite0')
    assert converted.architecture == EFFICIENTNET_LITE['efficientnet-lite0']


@pytest.mark.slow
def test_a_block_too_many_is_named(saved, unsettle):
    state = lukemelas(theirs('tf_efficientnet_lite0', unsettle).state_dict())
    state['_blocks.16._bn1.weight'] = torch.zeros(4)
    with pytest.raises(UserError, match=r'has no tensor _blocks\.16\._bn1\.weight'):
        convert_checkpoint(saved(state), 'efficientnet-lite0')
