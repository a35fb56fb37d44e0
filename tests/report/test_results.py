"""``results.json`` survives a round trip, is written whole, and refuses what it cannot use."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.errors import UserError
from rethink_det.report.results import (
    RunResult,
    StudyResults,
    plain,
    write_results,
)

ENTRY = {'stage': 'classification', 'arm': 'fine-tune', 'seed': 0, 'status': 'completed'}
ENTRY |= {'metrics': {'accuracy/top1': 93.1}}

finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    seed=st.integers(0, 10**6),
    metrics=st.dictionaries(st.text(), finite),
    model=st.text(),
    params=st.none() | st.integers(0),
    extra=st.dictionaries(st.text().map('x_{}'.format), finite | st.text()),
)
def test_a_run_survives_the_round_trip_with_its_unknown_keys(seed, metrics, model, params, extra):
    run = RunResult('detection', 'random', seed, metrics, model, params=params, extra=extra)
    text = json.dumps(run.to_dict())
    assert RunResult.from_dict(json.loads(text)) == run


@given(json_values)
def test_plain_values_never_hold_nan(value):
    json.dumps(plain(value), allow_nan=False)


def test_numpy_scalars_and_diverged_metrics_become_plain_json(tmp_path):
    metrics = {'accuracy/top1': np.float32(50.5), 'loss': math.nan}
    run = RunResult('classification', 'fine-tune', 0, metrics, checkpoint=tmp_path / 'a.pth')
    entry = run.to_dict()
    assert entry['metrics'] == {'accuracy/top1': 50.5, 'loss': None}
    assert entry['checkpoint'] == str(tmp_path / 'a.pth')


def test_written_results_are_the_read_ones_and_carry_summary_and_verdict(tmp_path):
    runs = [
        RunResult('classification', arm, seed, {'accuracy/top1': 90.0 + seed + shift}, 'net')
        for arm, shift in (('fine-tune', 0.0), ('scratch-b', 0.5))
        for seed in (0, 1)
    ]
    written = StudyResults('s', runs, 'Title', 'Words', {'device': 'cpu'})
    path = write_results(tmp_path, written)
    assert StudyResults.load(path) == StudyResults.load(tmp_path) == written
    content = json.loads(path.read_text(encoding='utf-8'))
    assert [row['arm'] for row in content['summary']] == ['fine-tune', 'scratch-b']
    assert content['summary'][0]['values'] == {'0': 90.0, '1': 91.0}
    assert content['verdict'] == content['verdicts'][0]['sentence']


def test_zero_variance_and_diverged_runs_leave_no_nan_in_the_file(tmp_path):
    values = {'fine-tune': [90.0, 90.0], 'scratch-b': [90.0, 90.0], 'scratch-e': [math.inf, 1.0]}
    runs = [
        RunResult('classification', arm, seed, {'accuracy/top1': value})
        for arm, cell in values.items()
        for seed, value in enumerate(cell)
    ]
    text = write_results(tmp_path, StudyResults('s', runs)).read_text()

    def fail(token):
        raise AssertionError(token)

    rows = {row['arm']: row for row in json.loads(text, parse_constant=fail)['summary']}
    assert rows['scratch-b']['difference']['ci95'] is None
    assert rows['scratch-b']['difference']['value'] == 0
    assert rows['scratch-e']['excluded_seeds'] == [0]


def test_contradicting_runs_are_refused_before_the_file_is_touched(tmp_path):
    path = write_results(tmp_path, StudyResults('s'))
    before = path.read_bytes()
    twice = [RunResult.from_dict(ENTRY), RunResult.from_dict(ENTRY)]
    with pytest.raises(UserError, match='two completed runs'):
        write_results(tmp_path, StudyResults('s', twice))
    assert path.read_bytes() == before


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    with pytest.raises(UserError, match=r'results\.json.*run the study first'):
        StudyResults.load(tmp_path)


@pytest.mark.parametrize(
    ('content', 'told'),
    [
        ('{"study": "s", "ru', 'not valid JSON'),
        ('[]', 'not an object'),
        ('{"runs": []}', "'study' must be a str"),
        ('{"study": "s"}', "'runs' must be a list"),
        ('{"study": "s", "runs": [], "environment": 3}', "'environment' must be a dict"),
        ('{"study": "s", "runs": [7]}', r'runs\[0\]: 7 is not an object'),
    ],
)
def test_a_corrupt_file_is_refused_by_name(tmp_path, content, told):
    path = tmp_path / 'results.json'
    path.write_text(content)
    with pytest.raises(UserError, match=f'results.json.*{told}.*run the study again'):
        StudyResults.load(path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / 'results.json').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(UserError, match='cannot be read'):
        StudyResults.load(tmp_path)


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('stage', 'segmentation'),
        ('arm', None),
        ('status', None),
        ('model', 3),
        ('seed', '0'),
        ('seed', True),
        ('metrics', [1.0]),
        ('metrics', {'accuracy/top1': 'high'}),
        ('macs', 'many'),
        ('reference', 93.0),
    ],
)
def test_a_wrong_kind_of_value_is_refused_by_key(key, value):
    with pytest.raises(UserError, match=f"runs\\[3\\]: '{key}'"):
        RunResult.from_dict(ENTRY | {key: value}, 'runs[3]')


@pytest.mark.parametrize('key', ['stage', 'arm', 'seed', 'status'])
def test_a_missing_key_is_refused(key):
    entry = {name: value for name, value in ENTRY.items() if name != key}
    with pytest.raises(UserError, match=key):
        RunResult.from_dict(entry)
