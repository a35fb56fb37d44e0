"""An exported network has the metrics of the checkpoint that it was made from."""

import json
import zipfile

import numpy as np
import pytest

from rethink_det import UserError, export_onnx, load_detector
from rethink_det.prediction import evaluate_exported
from rethink_det.training.config import load_config
from rethink_det.training.launch import evaluate
from tests.toy_detector import toy_detector


@pytest.fixture(scope='module')
def classifier(trained):
    export_onnx(trained / 'run' / 'epoch_3.pth', trained / 'run' / 'classifier.onnx')
    return trained


def test_a_classifier(classifier, command, tmp_path):
    config = classifier / 'run' / 'config.py'
    wanted = evaluate(load_config(str(config)), classifier / 'run' / 'epoch_3.pth')
    file, out = classifier / 'run' / 'classifier.onnx', tmp_path / 'metrics.json'
    done = command('test', config, file, '--work-dir', tmp_path / 'w', '--out', out)
    assert done.status == 0
    assert json.loads(out.read_text()) == wanted


def test_images_of_another_size_and_configs_of_another_kind_are_refused(
    classifier, refusal, tmp_path
):
    config = load_config(str(classifier / 'run' / 'config.py'))
    export_onnx(
        classifier / 'run' / 'epoch_3.pth', tmp_path / 'large.onnx', input_shape=(3, 16, 16)
    )
    with pytest.raises(UserError, match='images of 3x8x8, and the file is for 3x16x16'):
        evaluate_exported(config, tmp_path / 'large.onnx')
    file = classifier / 'run' / 'classifier.onnx'
    ema = ('test', classifier / 'run' / 'config.py', file, '--ema')
    assert '--ema is of checkpoints' in refusal(*ema)
    config.model = {'type': 'mmdet.FasterRCNN', 'backbone': {}}
    with pytest.raises(UserError, match='file is a classifier, and the config is of a detector'):
        evaluate_exported(config, file)
    config.test_dataloader = None
    with pytest.raises(UserError, match='no test_dataloader'):
        evaluate_exported(config, file)


@pytest.mark.slow
def test_a_detector_is_asked_drawn_and_judged_by_the_same_calls(
    shared, command, monkeypatch, tmp_path
):
    monkeypatch.chdir(toy_detector(tmp_path, shared))
    assert command('pack', 'work', '-o', 'model.zip').status == 0  # a config without other files
    assert command('predict', 'work', 'toy/val', '--out', 'drawn', '--json').status == 0
    with zipfile.ZipFile('model.zip') as packed:
        packed.extractall('model')
    export = ('export', 'model/config.py', 'model/model.pth', '--onnx', '-o', 'toy.onnx')
    assert command(*export, '--input-shape', 3, 128, 128).status == 0
    ours, theirs = load_detector('toy.onnx'), load_detector('work')
    assert tuple(ours.classes) == tuple(theirs.classes)
    for number in range(6):
        picture = f'toy/val/{number:03}.png'
        found, wanted = ours.predict(picture, 0.05), theirs.predict(picture, 0.05)
        np.testing.assert_allclose(found.boxes, wanted.boxes, atol=1e-2)
        np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-4)
    assert command('predict', 'toy.onnx', 'toy/val', '--out', 'again', '--json').status == 0
    for name in ('predictions.json', '000.png'):
        assert len((tmp_path / 'again' / name).read_bytes()) > 100
    test = ('test', 'model/config.py', 'toy.onnx', '--work-dir', 'judged', '--out', 'ours.json')
    assert command(*test, '--show-dir', 'shown').status == 0
    test = ('test', 'model/config.py', 'model/model.pth', '--work-dir', 'other')
    assert command(*test, '--out', 'theirs.json').status == 0
    ours, theirs = (json.loads((tmp_path / f'{n}.json').read_text()) for n in ('ours', 'theirs'))
    assert ours == pytest.approx(theirs, abs=0.002) and theirs['coco/bbox_mAP'] > 0.5
    assert len(list((tmp_path / 'shown').iterdir())) == 6
