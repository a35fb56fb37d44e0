"""Studies of detectors alone say that no classifier was scored, and show no empty table."""

import pytest

from rethink_det.errors import UserError
from rethink_det.report import RunResult, StudyResults
from rethink_det.report.page import write_report
from rethink_det.report.unscored import unscored_note, unscored_parents

PARENT = RunResult('classification', 'unpruned', 0, {}, 'given', parent_given=True)
DETECTORS = [
    RunResult('detection', arm, 0, {'coco/bbox_mAP': value}, 'det')
    for arm, value in {'prune-d': 0.4, 'scratch-d': 0.3, 'unpruned-d': 0.5}.items()
]


def test_the_report_has_a_sentence_in_place_of_a_section(tmp_path):
    results = StudyResults('s', [PARENT, *DETECTORS])
    assert [said.stage for said in results.conclusions] == ['detection']
    results.write(tmp_path)
    written = write_report(tmp_path)
    for kind in ('markdown', 'html'):
        text = written[kind].read_text()
        assert 'No classification score was measured' in text
        assert 'Classification · given' not in text
    told = written['markdown'].read_text()
    assert 'Scratch-D reached 30.0 AP, Prune-D 40.0 AP' in told
    assert 'Unpruned-D reached 50.0 (difference +10.0' in told


def test_it_says_why_if_a_score_was_asked_for():
    tried = RunResult(**{**vars(PARENT), 'unmeasured': 'metrics: data/imagenet is not there'})
    assert 'data/imagenet is not there' in unscored_note([tried, *DETECTORS])


@pytest.mark.parametrize(
    'others',
    [
        [RunResult('classification', 'unpruned', 1, {'accuracy/top1': 1.0}, 'given')],
        [RunResult('classification', 'scratch-e', 0, {}, 'given', status='failed')],
    ],
)
def test_a_model_of_which_there_is_more_is_shown(others):
    assert unscored_parents([PARENT, *others]) == [] and unscored_note([PARENT, *others]) == ''


def test_a_score_that_is_no_number_is_still_refused(tmp_path):
    StudyResults('s', [PARENT]).write(tmp_path)
    file = tmp_path / 'results.json'
    file.write_text(file.read_text().replace('"parent_given": true', '"parent_given": "yes"'))
    with pytest.raises(UserError, match='parent_given'):
        StudyResults.read(tmp_path)
