"""Detectors of an older release count their backbones alone: they are never mixed with others."""

from dataclasses import replace

import pytest

from rethink_det.errors import UserError
from rethink_det.report.fairness import fairness
from rethink_det.report.results import StudyResults
from rethink_det.report.run_result import RunResult
from rethink_det.report.spent import Spent
from rethink_det.report.spreadsheets import tidy_csv
from rethink_det.report.statistics import summarise
from rethink_det.report.tables import cost_table, epochs_of
from rethink_det.report.training_compute import spent_by, unknown_note, whose_compute

AP = 'coco/bbox_mAP'


def detector(arm, whole=True, macs=8e9, **fields):
    told = dict(macs_of='detector', backbone_macs=3e9, backbone_params=5) if whole else {}
    told |= dict(macs=macs if whole else 3e9, train_macs=6 * macs, total_train_macs=9 * macs)
    return RunResult('detection', arm, 0, {AP: 0.3}, 'det', params=9, **(told | fields))


NEW, OLD = detector('unpruned'), detector('prune-c', whole=False)
OLDER = [replace(detector('unpruned', whole=False), macs_of='backbone'), OLD]


def cells(runs):
    table = cost_table(runs, AP)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return {row['arm']: row for row in rows}, table.note


def test_whole_and_backbone_have_columns_of_their_own():
    rows, _ = cells([NEW])
    assert (rows['unpruned']['MACs'], rows['unpruned']['MACs of the backbone']) == (
        '8.00 G', '3.00 G',
    )  # fmt: skip
    assert rows['unpruned']['parameters of the backbone'] == '5'
    assert rows['unpruned']['total training compute, MACs'] == '72.0 G'


def test_old_rows_say_that_theirs_is_the_backbones():
    rows, note = cells(OLDER)
    assert rows['prune-c']['MACs of the backbone'] == '3.00 G' and 'MACs' not in rows['prune-c']
    assert rows['prune-c']['total training compute of the backbone, MACs'] == '72.0 G'
    assert 'MACs and compute are of the backbone alone' in note
    assert whose_compute(OLDER) == ' of the backbone'


def test_old_and_new_are_not_mixed():
    rows, note = cells([NEW, OLD])
    assert rows['prune-c']['total training compute, MACs'] == '–'
    assert 'not shown: prune-c seed 0' in note
    spent = spent_by([NEW, OLD])
    assert set(spent) == {('unpruned', 0)}
    assert 'prune-c. What their training took' in unknown_note(summarise([NEW, OLD]), spent)
    mixed = fairness([NEW], [OLD])
    assert {'training compute', 'total training compute'} <= set(mixed.unknown)
    assert {'training compute', 'total training compute'} <= set(fairness([NEW], [NEW]).shared)


def test_a_sentence_says_whose_compute_it_compares():
    dear = detector('random', whole=False, macs=80e9)
    assert 'MACs of the backbone against' in fairness([OLD], [dear]).sentence
    assert 'of the backbone' not in fairness([NEW], [detector('random', macs=80e9)]).sentence


def test_a_spreadsheet_says_so_in_the_unit():
    lines = tidy_csv('s', [NEW, OLD]).splitlines()
    assert sum(',train_macs,' in line and 'MACs of the backbone,' in line for line in lines) == 1
    assert sum(',train_macs,' in line and ',MACs,' in line for line in lines) == 1


@pytest.mark.parametrize(
    'own, earlier, shown',
    [
        (8, (8,), '8 + 8'), (1, (None,), '? + 1'), (12, None, '12'), (12, (), '12'),
        (0, (None,), '?'), (1, (4, 1), '4 + 1 + 1'), (None, None, '–'), (0, None, '0'),
    ],
)  # fmt: skip
def test_epochs_before_are_shown(own, earlier, shown):
    assert epochs_of(replace(NEW, epochs=own, earlier_epochs=earlier)) == shown


def test_what_is_unknown_comes_back_as_unknown(tmp_path):
    run = replace(NEW, spent=Spent(None, 0, None, {}), earlier_epochs=(None, 2))
    StudyResults('s', [run]).write(tmp_path)
    (back,) = StudyResults.read(tmp_path).runs
    assert back.spent == run.spent and back.earlier_epochs == (None, 2)
    text = (tmp_path / 'results.json').read_text().replace('"pruning": 0', '"pruning": "0"')
    (tmp_path / 'results.json').write_text(text)
    with pytest.raises(UserError, match="spent.pruning' is '0', must be a finite number"):
        StudyResults.read(tmp_path)
