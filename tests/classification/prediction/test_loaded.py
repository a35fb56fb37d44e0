"""A classifier takes a picture for what an evaluation judges."""

import numpy as np
import pytest
import torch

from rethink_det.architecture.checkpoint import Checkpoint
from rethink_det.classification.prediction import LoadedClassifier, load_classifier
from rethink_det.datasets.pixels import read_picture
from rethink_det.errors import UserError
from rethink_det.training.config import load_config
from rethink_det.training.launch import evaluate


def test_what_it_says_is_what_an_evaluation_judges(trained):
    checkpoint = trained / 'run' / 'epoch_3.pth'
    classifier = load_classifier(checkpoint)
    files = sorted((trained / 'pictures').iterdir())
    found = classifier.predict(files)
    right = sum(one.name == ('dark', 'bright')[place % 2] for place, one in enumerate(found))
    config = load_config(str(trained / 'run' / 'config.py'))
    judged = evaluate(config, checkpoint)['accuracy/top1']
    assert 100 * right / len(files) == judged
    assert all(np.isclose(one.scores.sum(), 1) for one in found)
    assert found[0].image == str(files[0])


def test_one_picture_and_its_pixels_are_the_same(trained):
    classifier = load_classifier(trained / 'run' / 'epoch_3.pth')
    file = trained / 'pictures' / '00.png'
    pixels = classifier.predict(read_picture(file)[:, :, ::-1])
    np.testing.assert_array_equal(classifier.predict(file).scores, pixels.scores)
    assert pixels.image == ''


def test_a_checkpoint_that_says_less_needs_its_config(trained, tmp_path):
    content = torch.load(trained / 'run' / 'epoch_3.pth', weights_only=True)
    config = trained / 'run' / 'config.py'
    whole = load_classifier(trained / 'run' / 'epoch_3.pth').predict(trained / 'pictures/00.png')
    for key, words in (('input_convention', 'how its images'), ('architecture', 'architecture')):
        del content['meta'][key]
        torch.save(content, tmp_path / 'less.pth')
        with pytest.raises(UserError, match=f'less.pth does not .*{words}.*--config'):
            load_classifier(tmp_path / 'less.pth')
        again = load_classifier(tmp_path / 'less.pth', config).predict(trained / 'pictures/00.png')
        np.testing.assert_allclose(again.scores, whole.scores, atol=1e-6)


def test_names_of_another_number_of_classes_are_refused(trained):
    read = Checkpoint.read(trained / 'run' / 'epoch_3.pth')
    read.others['meta']['dataset_meta'] = {'classes': ('one',)}
    with pytest.raises(UserError, match='scores 2 classes, and 1 are named'):
        LoadedClassifier(read).predict(trained / 'pictures' / '00.png')
    del read.others['meta']['dataset_meta']
    assert LoadedClassifier(read).predict(trained / 'pictures' / '00.png').classes == ('0', '1')
