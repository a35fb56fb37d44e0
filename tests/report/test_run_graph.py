"""The graph of a study's runs: as it was written, or refused."""

import pytest

from rethink_det.errors import UserError
from rethink_det.report.run_graph import Asked, PlannedRun, RunGraph, study_folder

RUN = PlannedRun('pruning/net/pruned/seed0', 'pruning', 'pruned', 'net', ('a',), 'runs/b')


def test_it_is_read_as_it_was_written(tmp_path):
    asked = Asked('mine.py', {'study.seeds': [0]}, ('a',), {'name': 'x'}, '..')
    graph = RunGraph('mine', (RUN,), asked)
    graph.write(tmp_path)
    assert RunGraph.read(tmp_path) == graph


def test_where_there_is_none_the_remedy_is_said(tmp_path):
    with pytest.raises(UserError, match='no such file; start the study again'):
        RunGraph.read(tmp_path)


def test_what_is_no_graph_is_refused(tmp_path):
    path = tmp_path / 'graph.json'
    path.write_text('[')
    with pytest.raises(UserError, match='not valid JSON'):
        RunGraph.read(tmp_path)
    path.write_text('{"study": "x"}')
    with pytest.raises(UserError, match="'runs' is missing"):
        RunGraph.read(tmp_path)
    path.write_text('{"study": "x", "runs": [{"key": "a", "stage": "b", "arm": "c"}]}')
    with pytest.raises(UserError, match=r"'runs\[0\].stage' is 'b', must be one of"):
        RunGraph.read(tmp_path)
    path.write_text('{"study": "x", "runs": [], "version": 9}')
    with pytest.raises(UserError, match='newer rethink_det'):
        RunGraph.read(tmp_path)


def test_a_folder_without_runs_is_no_study(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='file is no folder of a study'):
        study_folder(tmp_path / 'file')
    with pytest.raises(UserError, match='no folder of a study'):
        study_folder(tmp_path)
    (tmp_path / 'runs').mkdir()
    assert study_folder(tmp_path) == tmp_path.resolve()
