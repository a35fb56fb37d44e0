"""Pictures go through a trained detector as its test data do, and what is found is handed on."""

import json
import zipfile

import cv2
import numpy as np
import pytest
import torch
from mmdet.apis import DetInferencer

import rethink_det
from rethink_det import UserError
from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.detection.load_detector import self_contained
from rethink_det.detection.prediction import Detections, load_detector
from rethink_det.detection.prediction.packing import pack
from rethink_det.detection.prediction.trained_files import find_trained
from rethink_det.training.config import load_config
from rethink_det.training.launch import evaluate
from tests.toy_detector import toy_detector


@pytest.fixture(scope='module')
def trained(shared, tmp_path_factory):
    """The work dir of a detector of coloured rectangles, beside its pictures."""
    return toy_detector(tmp_path_factory.mktemp('predict'), shared)


def test_what_is_found_is_what_an_evaluation_judges(trained, monkeypatch, tmp_path):
    monkeypatch.chdir(trained)
    detector = load_detector('work')
    files = sorted((trained / 'toy' / 'val').iterdir())
    rows = [
        row
        for number, found in enumerate(detector.predict(files, threshold=0))
        for row in found.coco_rows(number, range(1, len(detector.classes) + 1))
    ]
    weights = Checkpoint.read('work/toydet.pth')
    config = self_contained(load_config('work/toydet_cfg.py'), weights)
    config.work_dir = str(tmp_path)
    config.test_evaluator.outfile_prefix = str(tmp_path / 'judged')
    evaluate(config, trained / 'work' / 'toydet.pth')
    judged = json.loads((tmp_path / 'judged.bbox.json').read_text())
    assert len(rows) == len(judged)
    theirs = np.array(sorted([r['score'], *r['bbox']] for r in judged))
    ours = np.array(sorted([r['score'], *r['bbox']] for r in rows))
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_a_file_and_its_pixels_are_the_same_and_unsure_objects_are_left_out(trained, monkeypatch):
    monkeypatch.chdir(trained)
    detector = rethink_det.load_detector('work/toydet.pth')
    file = trained / 'toy' / 'val' / '000.png'
    found, (pixels,) = detector.predict(file), detector.predict([cv2.imread(str(file))])
    np.testing.assert_array_equal(found.boxes, pixels.boxes)
    assert found.image == str(file) and pixels.image == '' and found.size == (96, 96)
    assert (found.scores >= 0.3).all() and (np.diff(found.scores) <= 0).all()
    sure = found.above(float(found.scores[0]))
    assert len(sure) == 1 and sure.names == [detector.classes[found.labels[0]]]


def test_the_command_draws_counts_and_writes_results(trained, command, monkeypatch, tmp_path):
    monkeypatch.chdir(trained)
    done = command('predict', 'work', 'toy/val', '--out', tmp_path / 'out', '--json')
    assert done.status == 0 and 'toy/val/000.png: 3 red' in done.out
    rows = json.loads((tmp_path / 'out' / 'predictions.json').read_text())
    assert {row['image_id'] for row in rows} <= {f'{n:03}.png' for n in range(6)}
    before, after = (
        cv2.imread(str(p / '000.png')) for p in (trained / 'toy/val', tmp_path / 'out')
    )
    assert before.shape == after.shape and (before != after).any()
    both = ('--out', tmp_path / 'both', '--side-by-side', 'work/toydet.pth')
    assert command('predict', 'work', 'toy/val/000.png', *both).status == 0
    pair = cv2.imread(str(tmp_path / 'both' / '000.png'))
    assert pair.shape[1] > 2 * before.shape[1]
    np.testing.assert_array_equal(pair[-96:, :96], pair[-96:, -96:])


def test_the_inferencer_of_mmdet_takes_a_packed_run(trained, command, monkeypatch, tmp_path):
    """Of another folder: nothing but config and checkpoint, and the same objects."""
    monkeypatch.chdir(trained)
    assert command('pack', 'work', '-o', tmp_path / 'model.zip').status == 0
    with zipfile.ZipFile(tmp_path / 'model.zip') as packed:
        packed.extractall(tmp_path / 'model')
    picture = str(trained / 'toy' / 'val' / '000.png')
    ours = load_detector('work').predict(picture, threshold=0)
    monkeypatch.chdir(tmp_path / 'model')
    inferencer = DetInferencer(model='config.py', weights='model.pth', device='cpu')
    (theirs,) = inferencer(picture, no_save_vis=True)['predictions']
    np.testing.assert_allclose(theirs['bboxes'], ours.boxes, atol=1e-4)
    np.testing.assert_allclose(theirs['scores'], ours.scores, atol=1e-6)
    assert theirs['labels'] == ours.labels.tolist()
    assert inferencer.visualizer.dataset_meta['classes'] == ours.classes


def test_an_evaluation_draws_what_was_found_and_what_is_true(trained, command, refusal, tmp_path):
    config = trained / 'work' / 'toydet_cfg.py'
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained)
        test = ('test', config, 'work/toydet.pth', '--work-dir', tmp_path / 'test')
        assert command(*test, '--show-dir', tmp_path / 'shown').status == 0
        assert len(list((tmp_path / 'shown').iterdir())) == 6
        assert 'nothing is pickled' in refusal(*test, '--out', tmp_path / 'results.pkl')
        plain = (*test, '--cfg-options', 'visualizer=None', '--show-dir', tmp_path / 'none')
        assert 'the config has none' in refusal(*plain)


@pytest.mark.parametrize(
    'arguments, words',
    [
        (('gone', 'toy/val'), 'gone does not exist'),
        (('toy', 'toy/val'), 'holds no checkpoint'),
        (('work', 'toy'), 'holds no picture'),
        (('work', 'nothing.png'), 'nothing.png does not exist'),
        (('work', 'work/toydet_cfg.py'), 'is no picture that can be read'),
        (('work', 'toy/val', '--threshold', '2'), 'must be in'),
    ],
)
def test_mistakes_are_told_in_a_line(trained, refusal, monkeypatch, tmp_path, arguments, words):
    monkeypatch.chdir(trained)
    assert words in refusal('predict', *arguments, '--out', tmp_path / 'out')


def test_a_packed_run_needs_nothing_else(trained, command, refusal, monkeypatch, tmp_path):
    monkeypatch.chdir(trained)
    done = command('pack', 'work', '-o', tmp_path / 'model.zip')
    assert done.status == 0 and 'model.pth, config.py, card.md' in done.out
    with zipfile.ZipFile(tmp_path / 'model.zip') as packed:
        packed.extractall(tmp_path / 'elsewhere' / 'model')
    picture = trained / 'toy' / 'val' / '000.png'
    found = load_detector('work').predict(picture)
    monkeypatch.chdir(tmp_path / 'elsewhere')
    again = load_detector('model').predict(picture)
    np.testing.assert_array_equal(found.boxes, again.boxes)
    np.testing.assert_array_equal(found.scores, again.scores)
    config = load_config('model/config.py')
    assert isinstance(config.model.backbone.architecture, dict) and config.load_from is None
    assert 'optimizer' not in torch.load('model/model.pth', weights_only=True)
    assert 'model.zip' in refusal('pack', 'model', '-o', '../model.zip')
    assert (tmp_path / 'model.zip').is_file()


def test_a_run_whose_shape_is_elsewhere_is_not_packed(trained, monkeypatch, tmp_path):
    monkeypatch.chdir(trained)
    content = torch.load('work/toydet.pth', weights_only=True)
    del content['meta']['architecture']
    torch.save(content, tmp_path / 'bare.pth')
    with pytest.raises(UserError, match='it would be missing elsewhere'):
        pack(tmp_path / 'bare.pth', tmp_path / 'model.zip', 'work/toydet_cfg.py')
    assert not (tmp_path / 'model.zip').exists()


def test_a_config_is_found_beside_its_checkpoint_or_asked_for(tmp_path):
    (tmp_path / 'a.pth').touch()
    with pytest.raises(UserError, match='no config lies beside it'):
        find_trained(tmp_path / 'a.pth')
    (tmp_path / 'one.py').touch()
    assert find_trained(tmp_path).config.name == 'one.py'
    (tmp_path / 'best_bbox_mAP_epoch_3.pth').touch()
    assert find_trained(tmp_path).checkpoint.name == 'best_bbox_mAP_epoch_3.pth'
    (tmp_path / 'two.py').touch()
    with pytest.raises(UserError, match='2 Python files lie beside it: .*--config'):
        find_trained(tmp_path)
    (tmp_path / 'config.py').touch()
    assert find_trained(tmp_path).config.name == 'config.py'


def some(masks=None):
    return Detections(
        boxes=np.array([[1, 2, 4, 6], [0, 0, 2, 2]], np.float32),
        scores=np.array([0.9, 0.4], np.float32),
        labels=np.array([1, 0]),
        classes=('cat', 'dog'),
        size=(8, 8),
        masks=masks,
    )


def test_masks_are_handed_on_as_rle():
    masks = np.zeros((2, 8, 8), bool)
    masks[0, 2:6, 1:4] = True
    first, second = some(masks).coco_rows('a.png', [10, 20])
    assert first['category_id'] == 20 and first['bbox'] == [1, 2, 3, 4]
    assert first['segmentation']['size'] == [8, 8] and second['category_id'] == 10
    assert 'segmentation' not in some().coco_rows('a.png', [10, 20])[0]


def test_another_library_gets_them_or_it_is_said_what_is_missing(monkeypatch):
    supervision = pytest.importorskip('supervision')
    theirs = some().to_supervision()
    assert isinstance(theirs, supervision.Detections) and len(theirs) == 2
    assert theirs.data['class_name'].tolist() == ['dog', 'cat']


def test_without_that_library_it_is_asked_for(monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'supervision', None)
    with pytest.raises(UserError, match='pip install supervision'):
        some().to_supervision()
