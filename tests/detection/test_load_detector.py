"""A trained detector is the config's, with the checkpoint's weights, or refused."""

import pytest

from rethink_det import UserError
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.load_detector import BackboneAndNeck, load_detector
from tests.small_detectors import SHAPE, config, fresh, image


def test_its_weights_are_the_checkpoints():
    weights = fresh(config())
    detector = load_detector(config(), Checkpoint.from_dict(weights, 'fresh.pth'))
    own = detector.state_dict()
    assert own.keys() == weights.keys()
    assert all(own[name].equal(weights[name]) for name in weights)


def test_its_feature_maps_are_those_of_its_neck():
    detector = load_detector(config(), Checkpoint.from_dict(fresh(config()), 'fresh.pth'))
    maps = BackboneAndNeck(detector.eval())(image(0))
    assert [feature.shape[1] for feature in maps] == [32] * 4
    assert maps[0].shape[2:] == (SHAPE[1] // 4, SHAPE[2] // 4)


def test_weights_of_another_detector_are_refused():
    with pytest.raises(UserError, match=r'other\.pth does not fit the config.*no '):
        load_detector(config('mask'), Checkpoint.from_dict(fresh(config()), 'other.pth'))


def test_a_config_without_backbone_is_refused():
    settings = config()
    settings.model = dict(type='mmengine.BaseDataPreprocessor')
    with pytest.raises(UserError, match='no detector'):
        load_detector(settings, Checkpoint.from_dict({}, 'any.pth'))
