"""A classifier is shown by the command that shows a detector."""

import json

import cv2
import numpy as np
import pytest

from rethink_det.prediction.showing import drawn, rows, said


def test_the_command_draws_and_writes_the_best_classes(trained, command, tmp_path):
    out = tmp_path / 'out'
    done = command('predict', trained / 'run', trained / 'pictures', '--out', out, '--json')
    assert done.status == 0 and 'pictures/00.png: dark ' in done.out.replace(str(trained), '')
    found = json.loads((out / 'predictions.json').read_text())
    assert len(found) == 2 * 16 and found[0]['image'] == '00.png'
    assert {row['class'] for row in found} == {'dark', 'bright'}
    picture = cv2.imread(str(out / '00.png'))
    assert picture.shape[0] > 256 == picture.shape[1]


def test_two_stand_side_by_side(trained, command, tmp_path):
    checkpoint, picture = trained / 'run' / 'epoch_1.pth', trained / 'pictures' / '00.png'
    two = ('--out', tmp_path, '--side-by-side', checkpoint)
    done = command('predict', trained / 'run', picture, *two)
    assert done.status == 0 and ' | ' in done.out
    assert cv2.imread(str(tmp_path / '00.png')).shape[1] > 512


@pytest.mark.parametrize('show', [lambda one: drawn(one, np.zeros(1)), said, lambda o: rows(o, '')])
def test_other_things_cannot_be_shown(show):
    with pytest.raises(TypeError):
        show(1)
