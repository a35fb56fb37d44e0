"""``results.json`` survives a round trip, is written whole, and refuses what it cannot use."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.errors import UserError
from rethink_det.files import plain
from rethink_det.report import RunResult, StudyResults

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_plain_values_never_hold_nan(value):
    json.dumps(plain(value), allow_nan=False)


def test_written_results_are_the_read_ones_and_carry_summary_and_verdict(tmp_path):
    runs = [
        RunResult('classification', arm, seed, {'accuracy/top1': 90.0 + seed + shift}, 'net')
        for arm, shift in (('fine-tune', 0.0), ('scratch-b', 0.5))
        for seed in (0, 1)
    ]
    written = StudyResults('s', runs, 'Title', 'Words', {'device': 'cpu'})
    path = written.write(tmp_path)
    assert StudyResults.read(path) == StudyResults.read(tmp_path) == written
    assert StudyResults.read(str(path)).runs[0].root == tmp_path
    content = json.loads(path.read_text(encoding='utf-8'))
    assert [row['arm'] for row in content['summary']] == ['fine-tune', 'scratch-b']
    assert content['summary'][0]['values'] == {'0': 90.0, '1': 91.0}
    assert content['verdict'] == content['conclusions'][0]['sentence']
    assert content['verdicts'][0]['outcome'] == 'open'


def test_rows_know_where_their_files_are(tmp_path):
    place = dict(folder='runs/a', checkpoint='epoch_1.pth')
    path = StudyResults('s', [RunResult('detection', 'random', 0, **place)]).write(tmp_path)
    assert json.loads(path.read_text())['runs'][0]['checkpoint'] == 'epoch_1.pth'
    (run,) = StudyResults.read(tmp_path).runs
    assert run.checkpoint_path == tmp_path / 'runs' / 'a' / 'epoch_1.pth'


def test_paths_of_a_file_without_a_version_are_taken_from_where_the_study_is_now(tmp_path):
    known = dict(stage='detection', arm='random', seed=0, status='completed')
    known |= dict(checkpoint='/gone/runs/a/epoch_1.pth')
    rows = [dict(known, folder='runs/a'), dict(known, seed=1)]
    (tmp_path / 'results.json').write_text(json.dumps(dict(study='s', runs=rows)))
    moved, unknown = StudyResults.read(tmp_path).runs
    assert moved.checkpoint_path == tmp_path / 'runs' / 'a' / 'epoch_1.pth'
    assert str(unknown.checkpoint_path) == '/gone/runs/a/epoch_1.pth'


def test_zero_variance_and_diverged_runs_leave_no_nan_in_the_file(tmp_path):
    values = {'fine-tune': [90.0, 90.0], 'scratch-b': [90.0, 90.0], 'scratch-e': [math.inf, 1.0]}
    runs = [
        RunResult('classification', arm, seed, {'accuracy/top1': value})
        for arm, cell in values.items()
        for seed, value in enumerate(cell)
    ]
    text = StudyResults('s', runs).write(tmp_path).read_text()

    def fail(token):
        raise AssertionError(token)

    content = json.loads(text, parse_constant=fail)
    rows = {row['arm']: row for row in content['summary']}
    verdicts = {verdict['comparison']['arm']: verdict for verdict in content['verdicts']}
    assert verdicts['scratch-b']['interval'] is None
    assert verdicts['scratch-b']['difference'] == 0
    assert rows['scratch-e']['excluded_seeds'] == [0]


def test_contradicting_runs_are_refused_before_the_file_is_touched(tmp_path):
    path = StudyResults('s').write(tmp_path)
    before = path.read_bytes()
    twice = [RunResult('classification', 'fine-tune', 0, {'accuracy/top1': 93.1})] * 2
    with pytest.raises(UserError, match='two completed runs'):
        StudyResults('s', twice).write(tmp_path)
    assert path.read_bytes() == before


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    with pytest.raises(UserError, match=r'results\.json.*run the study first'):
        StudyResults.read(tmp_path)


@pytest.mark.parametrize(
    ('content', 'told'),
    [
        ('{"study": "s", "ru', 'not valid JSON'),
        ('[]', 'not an object'),
        ('{"runs": []}', "'study' is missing"),
        ('{"study": 3, "runs": []}', "'study' is 3, must be a text"),
        ('{"study": "s"}', "'runs' is missing"),
        ('{"study": "s", "runs": {}}', "'runs' is {}, must be a list"),
        ('{"study": "s", "runs": [], "environment": 3}', "'environment' is 3, must be a dict"),
        ('{"study": "s", "runs": [], "authors": []}', "unknown key 'authors'; valid are study"),
        ('{"study": "s", "runs": [7]}', r"'runs\[0\]' is 7, must be a dict"),
        ('{"format": "rethink_det.run_result"}', "'format' is 'rethink_det.run_result', must be"),
    ],
)
def test_a_corrupt_file_is_refused_by_name(tmp_path, content, told):
    path = tmp_path / 'results.json'
    path.write_text(content)
    with pytest.raises(UserError, match=f'results.json.*{told}.*run the study again'):
        StudyResults.read(path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / 'results.json').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(UserError, match='cannot be read'):
        StudyResults.read(tmp_path)
