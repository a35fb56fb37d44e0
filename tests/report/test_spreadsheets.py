"""The runs as CSV: nothing is lost, and a spreadsheet or data frame can group them."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethink_det.errors import UserError
from rethink_det.report.environment import Environment
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import Plan, RunResult
from rethink_det.report.spreadsheets import MEASURED, tidy_csv, wide_csv

RUN = RunResult(
    'classification', 'fine-tune', 1, {'accuracy/top1': 93.1, 'accuracy/top5': None}, 'net',
    params=7, parent='a', plan=Plan('c.py'), replicates={'accuracy/top1': (1.0, 2.0)},
    environment=Environment(python='3.11'),
)  # fmt: skip
FAILED = RunResult('detection', 'random', 0, {}, 'net, "b"', 'failed')


def lines_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_line_is_one_number_of_one_run():
    top1, top5, params, failed = lines_of(tidy_csv('s', [RUN, FAILED]))
    assert top1 == {
        'study': 's', 'stage': 'classification', 'model': 'net', 'arm': 'fine-tune', 'parent': 'a',
        'seed': '1', 'metric': 'accuracy/top1', 'value': '93.1', 'unit': '%', 'status': 'completed',
    }  # fmt: skip
    assert (top5['metric'], top5['value']) == ('accuracy/top5', '')
    assert (params['metric'], params['value'], params['unit']) == ('params', '7', 'parameters')
    assert (failed['model'], failed['metric'], failed['status']) == ('net, "b"', '', 'failed')


@given(
    metrics=st.dictionaries(
        st.text('abc/_,"\n', min_size=1), st.floats(allow_nan=False, allow_infinity=False)
    ),
    seeds=st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=3),
)
def test_every_value_comes_back_exactly(metrics, seeds):
    runs = [replace(RUN, seed=seed, metrics=metrics) for seed in seeds]
    lines = [line for line in lines_of(tidy_csv('s', runs)) if line['metric'] not in MEASURED]
    found = {(int(line['seed']), line['metric']): float(line['value']) for line in lines}
    assert found == {(seed, name): value for seed in seeds for name, value in metrics.items()}


@pytest.mark.parametrize(
    'metric, unit', [('accuracy/top5', '%'), ('coco/bbox_mAP', 'fraction'), ('own/loss', '')]
)
def test_values_have_the_unit_of_the_results_file(metric, unit):
    (line, _) = lines_of(tidy_csv('s', [replace(RUN, metrics={metric: 0.5})]))
    assert (line['value'], line['unit']) == ('0.5', unit)


def test_a_wide_line_is_a_run_with_its_environment_and_nothing_endless():
    (line,) = lines_of(wide_csv([RUN]))
    assert line['environment.python'] == '3.11' and line['metrics.accuracy/top1'] == '93.1'
    assert not [name for name in line if name.startswith(('plan', 'replicates'))]


def test_there_is_no_table_of_what_is_no_study(tmp_path):
    (tmp_path / 'results.json').write_text('{"study": "s", "runs": [{"arm": "x"}]}')
    with pytest.raises(UserError, match=r"'runs\[0\].stage' is missing"):
        tidy_csv('s', StudyResults.read(tmp_path).runs)


@pytest.mark.parametrize(
    'text',
    [
        '=HYPERLINK("http://example.invalid","x")', '=1+1', '+1+1', '-1+1', '@SUM(A1)', '  =1',
        '\t=1', '\r=1', '\n=1', '\N{FULLWIDTH EQUALS SIGN}1', '-', '--5', "=cmd|' /C calc'!A0",
    ],
)  # fmt: skip
def test_no_text_is_a_formula(text):
    """As OWASP has it: a spreadsheet computes what starts so, with quotes around it or not."""
    hostile = replace(RUN, model=text, metrics={f'accuracy/{text}': 1.0, text: 2.0}, parent=text)
    for csv_text in (wide_csv([hostile]), tidy_csv(text, [hostile])):
        cells = [cell for row in csv.reader(io.StringIO(csv_text)) for cell in row]
        shown = text.replace('\r', '\n')
        assert f"'{shown}" in cells
        assert not {text, shown} & set(cells)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_numbers_stay_numbers(number):
    line = lines_of(wide_csv([replace(RUN, metrics={'accuracy/top1': number})]))[0]
    assert float(line['metrics.accuracy/top1']) == float(number)
