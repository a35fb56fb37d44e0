"""A study whose pruning does not come to what was asked says so."""

import pytest

from rethink_det import UserError
from rethink_det.report import StudyResults
from rethink_det.study.execute import execute_study

FAR = {'type': 'L1NormPruner', 'macs': 0.01}


def test_a_study_tells_it_as_it_happens_and_keeps_it(study, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    execute_study(study(pruner=FAR), tmp_path / 'work')
    assert 'macs: asked for' in capsys.readouterr().err
    runs = StudyResults.read(tmp_path / 'work').runs
    told = {run.arm: run.not_as_asked for run in runs}
    assert told.pop('unpruned') is None
    assert set(told) == {'fine-tune', 'scratch-e'}
    for words in told.values():
        assert 'the method can take no more from this network' in words


def test_a_budget_that_makes_no_sense_is_refused_before_anything_is_trained(study, tmp_path):
    with pytest.raises(UserError, match='macs'):
        study(pruner={'type': 'L1NormPruner', 'macs': -1})
        execute_study(study(pruner={'type': 'L1NormPruner', 'macs': -1}), tmp_path / 'work')
