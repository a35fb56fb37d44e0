"""A network is found by its place: checkpoint, work dir, exported file."""

import shutil

import pytest

from rethink_det import UserError, load_detector, load_network
from rethink_det.classification.prediction import LoadedClassifier


def test_a_classifier_needs_no_config_and_takes_one(trained, tmp_path):
    picture = trained / 'pictures' / '01.png'
    whole = load_network(trained / 'run').predict(picture)
    shutil.copy(trained / 'run' / 'epoch_3.pth', tmp_path / 'alone.pth')
    alone = load_network(tmp_path / 'alone.pth')
    assert isinstance(alone, LoadedClassifier)
    assert (alone.predict(picture).scores == whole.scores).all()
    (tmp_path / 'script.py').write_text('def f(:')  # what lies there need be no config
    assert (load_network(tmp_path / 'alone.pth').predict(picture).scores == whole.scores).all()
    (tmp_path / 'script.py').write_text("model = dict(type='mmdet.FasterRCNN', backbone={})")
    assert (load_network(tmp_path / 'alone.pth').predict(picture).scores == whole.scores).all()


def test_a_classifier_is_no_detector_and_a_detector_has_a_config(trained, tmp_path):
    with pytest.raises(UserError, match='run is a classifier, no detector'):
        load_detector(trained / 'run')
    segmenter = tmp_path / 'segmenter.py'
    segmenter.write_text(
        "model = dict(type='mmseg.EncoderDecoder', decode_head=dict(num_classes=2))"
    )
    with pytest.raises(UserError, match='is a segmenter'):
        load_network(trained / 'run', segmenter)
    with pytest.raises(UserError, match='gone does not exist'):
        load_network(tmp_path / 'gone')
