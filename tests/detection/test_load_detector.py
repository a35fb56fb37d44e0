"""A trained detector is the config's, with the checkpoint's weights, or refused."""

import pytest

from rethink_det import PrunedArchitecture, UserError
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.load_detector import BackboneAndNeck, load_detector, self_contained
from tests.small_detectors import SHAPE, config, fresh, image
from tests.tiny_detector import HEAD, RESNET, write_mask_rcnn


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


def test_a_checkpoint_of_another_shape_is_not_taken_for_what_the_config_says(tmp_path):
    settings, trained = write_mask_rcnn(tmp_path)
    checkpoint = Checkpoint.read(trained)
    other = PrunedArchitecture(
        dict(RESNET), dict(HEAD), (3, 64, 64), channels={'layer1.0.conv1': 5}
    )
    other.save(tmp_path / 'other.json')
    settings.model.backbone.architecture = str(tmp_path / 'other.json')
    with pytest.raises(UserError, match='does not fit the config'):
        load_detector(settings, checkpoint)
    (tmp_path / 'other.json').write_text('{}')
    with pytest.raises(UserError, match='other.json'):
        self_contained(settings, checkpoint)
    (tmp_path / 'other.json').unlink()  # it was moved without it: the checkpoint knows
    load_detector(settings, checkpoint)
