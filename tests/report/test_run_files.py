"""Files of runs are read as what they are, or left out and said."""

import json
from copy import deepcopy

import pytest

from rethink_det.errors import UserError
from rethink_det.report.run_files import RunFiles
from rethink_det.report.run_result import RunResult
from rethink_det.report.sample_pictures import SamplePictures
from rethink_det.report.schema import DEEPEST, read, read_object
from tests.report.sheets import jpeg, sheet

CURVE = [0.5] * 101


def curves(**changes):
    of = dict(precision={'0.50': CURVE}, classes=[dict(name='dog', AP=0.4)])
    return {'bbox': of | changes}


@pytest.fixture
def files(tmp_path):
    """Writes a file of a run and reads it: what was found, and what was said."""

    def written(name, content):
        (tmp_path / 'one').mkdir(exist_ok=True)
        (tmp_path / 'one' / name).write_text(
            content if isinstance(content, str) else json.dumps(content)
        )
        return RunFiles(tmp_path)

    return written


RUN = RunResult('detection', 'prune-c', 0, {}, folder='one')


def test_what_is_right_is_read(files):
    found = files('curves.json', curves()).curves([RUN], 'bbox')
    assert found['prune-c'][0].precision['0.50'] == tuple(CURVE)
    pictures = files('sheet.json', sheet(0.9))
    (seed, sample) = pictures.pictures([RUN])['prune-c']
    assert (seed, sample.images[0].found.scores) == (0, (0.9,))
    assert pictures.unread == {} and pictures.table() is None


def test_other_metrics_leave_no_curves(files):
    assert files('curves.json', {'unmeasured': 'no room'}).curves([RUN], 'bbox') == {}


@pytest.mark.parametrize(
    'content, said',
    [
        ('{"bbox": ' + '[' * 10**5, 'not valid JSON'),
        ('{"bbox": %s}' % ('9' * 5000), 'not valid JSON'),
        ('{"bbox": ' + '[' * 90 + ']' * 90 + '}', f'deeper than {DEEPEST}'),
        (curves(precision={'0.50': CURVE[1:]}), 'has 100 points, not 101'),
        (curves(precision={'$x$': CURVE}), 'is no IoU threshold'),
        (curves(precision={'0.50': [7.0] * 101}), "'bbox.precision.0.50[0]' is 7.0"),
        (curves(classes=[dict(AP=0.4)]), "'bbox.classes[0].name' is missing"),
        (curves(classes={'dog': 0.4}), "'bbox.classes' is {'dog': 0.4}, must be a list"),
    ],
)
def test_curves_that_are_none_are_left_out_and_said(files, content, said):
    found = files('curves.json', content)
    assert found.curves([RUN], 'bbox') == {}
    assert said in found.unread['one/curves.json']
    assert found.table().rows == [['one/curves.json', found.unread['one/curves.json']]]


@pytest.mark.parametrize(
    'place, value, said',
    [
        (('images', 0, 'jpeg'), 'AAAA', "'jpeg' is no image"),
        (('images', 0, 'jpeg'), '{', 'images[0]: '),
        (('images', 0, 'jpeg'), jpeg(5000, 4000), 'pixels'),
        (('images', 0, 'width'), 0, "'images[0].width' is 0"),
        (('images', 0, 'found', 'labels'), [1, 2], '1 boxes, and 2 labels'),
        (('images', 0, 'found', 'boxes'), [[1, 2, 3]], 'a box has not four numbers'),
        (('images', 0, 'found', 'masks', 0, 'counts'), 'oooo', 'invalid RLE'),
        (('images', 0, 'found', 'masks', 0, 'counts'), 'a1b2\u20ac', 'invalid RLE'),
        (('images', 0, 'found', 'masks', 0, 'size'), [99_999, 99_999], 'small mask'),
        (('threshold',), None, "'threshold' is None"),
    ],
)
def test_pictures_that_are_none_are_refused(place, value, said):
    content = deepcopy(sheet(0.9))
    *path, last = place
    node = content
    for key in path:
        node = node[key]
    node[last] = value
    with pytest.raises(UserError, match=r'^sheet: ') as refusal:
        read(SamplePictures, content, 'sheet')
    assert said in f'{refusal.value}'


def test_the_next_seed_stands_in(files, tmp_path):
    found = files('sheet.json', '{')
    (tmp_path / 'two').mkdir()
    (tmp_path / 'two/sheet.json').write_text(json.dumps(sheet(0.8)))
    other = RunResult('detection', 'prune-c', 1, {}, folder='two')
    assert found.pictures([RUN, other])['prune-c'][0] == 1
    assert [*found.unread] == ['one/sheet.json']


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UserError, match='cannot be read'):
        read_object(tmp_path, 'x')
