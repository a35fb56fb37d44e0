"""A study to begin with is written for one's own data and backbone, and runs as it is."""

import pytest

from rethink_det.study import Study, runs_of
from tests.detection.datasets.coco_layouts import write_layout

SMALL = ('--detector', 'detection/faster-rcnn_r18-w16_fpn_shapes.py')


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_layout(tmp_path / 'photos', 'coco').relative_to(tmp_path)


def test_it_says_what_was_found_and_is_a_study(data, trained, command, tmp_path):
    done = command('init', '--data', data, '--backbone', trained, '-o', 'mine.py', *SMALL)
    assert done.status == 0 and 'rethink-det study mine.py' in done.out
    text = (tmp_path / 'mine.py').read_text()
    assert '3 classes (ship, tree, house)' in text and '4 training images' in text
    assert sum(line.lstrip().startswith('#') for line in text.splitlines()) >= 5
    study = Study.load('mine.py')
    (detection,) = study.detection
    assert list(detection.arms) == ['unpruned-d', 'prune-d', 'scratch-d']
    assert detection.data_root == str(data) and len(study.seeds) == 3
    assert study.classification.pruner == {'type': 'GroupNormPruner', 'macs': 0.75}
    assert len(runs_of(study)) == 18
    dry = command('study', 'mine.py', '--dry-run')
    assert dry.status == 0 and 'mine: 18 runs' in dry.out


@pytest.mark.parametrize(
    'changed, words',
    [
        ({'--data': 'gone'}, 'gone is no folder'),
        ({'--backbone': 'gone.pth'}, 'gone.pth'),
        ({'-o': 'my-study.py'}, 'name it like my_study.py'),
        ({'-o': 'study.txt'}, 'a config is a Python file'),
        ({'--detector': 'mmdet::gone/gone.py'}, 'gone'),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    data, trained, refusal, tmp_path, changed, words
):
    told = {'--data': data, '--backbone': trained, '-o': 'mine.py', **changed}
    before = set(tmp_path.iterdir())
    assert words in refusal('init', *(part for pair in told.items() for part in pair))
    assert set(tmp_path.iterdir()) == before


def test_a_file_of_the_users_is_not_written_over(data, trained, refusal, tmp_path):
    (tmp_path / 'study.py').write_text('mine = 1\n')
    assert '--force' in refusal('init', '--data', data, '--backbone', trained, *SMALL)
    assert (tmp_path / 'study.py').read_text() == 'mine = 1\n'
