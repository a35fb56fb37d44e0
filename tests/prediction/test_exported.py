"""An exported file is asked by the call that asks a checkpoint, and says itself what it is."""

import json

import numpy as np
import onnx
import pytest

from rethink_det import UserError, export_onnx, load_detector, load_network
from rethink_det.export.kinds import INPUT, KIND
from rethink_det.prediction.exported import load_exported
from rethink_det.training.config import load_config


@pytest.fixture(scope='module')
def exported(trained, tmp_path_factory):
    """A classifier as an ONNX file."""
    path = tmp_path_factory.mktemp('exported') / 'classifier.onnx'
    export_onnx(trained / 'run' / 'epoch_3.pth', path)
    return path


@pytest.fixture
def changed(exported, tmp_path):
    """Writes the file with other metadata, of which None leaves one out."""

    def write(**values):
        model = onnx.load(exported)
        said = {one.key: one.value for one in model.metadata_props} | values
        del model.metadata_props[:]
        onnx.helper.set_model_props(model, {k: v for k, v in said.items() if v is not None})
        onnx.save(model, tmp_path / 'changed.onnx')
        return tmp_path / 'changed.onnx'

    return write


@pytest.mark.parametrize('pixels', [False, True])
def test_scores_are_those_of_the_checkpoint(trained, exported, pixels, tmp_path):
    checkpoint, pictures = trained / 'run' / 'epoch_3.pth', sorted((trained / 'pictures').iterdir())
    if pixels:
        exported = tmp_path / 'pixels.onnx'
        export_onnx(checkpoint, exported, normalise=True, batch=1)
    both = zip(
        load_network(exported).predict(pictures), load_network(checkpoint).predict(pictures),
        strict=True,
    )  # fmt: skip
    for ours, theirs in both:
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)
        assert ours.classes == theirs.classes == ('dark', 'bright')


def test_a_file_that_says_nothing_is_told_by_a_config(trained, changed):
    bare = changed(**{KIND: None, INPUT: None, 'input_convention': None})
    with pytest.raises(UserError, match='does not say what it is .*--config'):
        load_network(bare)
    config = trained / 'run' / 'config.py'
    picture = trained / 'pictures' / '00.png'
    whole = load_network(trained / 'run' / 'epoch_3.pth').predict(picture)
    found = load_network(bare, config).predict(picture)
    np.testing.assert_allclose(found.scores, whole.scores, atol=1e-5)
    assert found.classes == ('0', '1')


@pytest.mark.parametrize(
    'values, words',
    [
        ({KIND: 'no JSON'}, 'metadata are no JSON'),
        ({KIND: json.dumps('features')}, 'holds features, no whole network'),
        ({KIND: json.dumps('detector')}, 'puts out scores, where a detector'),
        ({INPUT: json.dumps([1])}, "metadata 'input' is a list"),
        ({INPUT: json.dumps({})}, 'what it says of its input makes no sense'),
        ({INPUT: None}, 'does not say of which size its images are'),
        ({'input_convention': None}, 'how its images are normalised'),
    ],
)
def test_what_cannot_be_is_refused_by_name(changed, values, words):
    with pytest.raises(UserError, match=f'changed.onnx.*{words}'):
        load_network(changed(**values))


def test_other_files_are_refused(trained, exported, tmp_path):
    with pytest.raises(UserError, match='gone.onnx does not exist'):
        load_network(tmp_path / 'gone.onnx')
    (tmp_path / 'text.onnx').write_text('no network')
    with pytest.raises(UserError, match='onnxruntime cannot run'):
        load_network(tmp_path / 'text.onnx')
    with pytest.raises(UserError, match='is a classifier, no detector'):
        load_detector(exported)
    with pytest.raises(UserError, match='--ema is of checkpoints'):
        load_network(exported, ema=True)
    backbone = tmp_path / 'backbone.onnx'
    export_onnx(trained / 'run' / 'epoch_3.pth', backbone, backbone=True)
    with pytest.raises(UserError, match='holds features, no whole network'):
        load_exported(backbone, load_config(str(trained / 'run' / 'config.py')))
