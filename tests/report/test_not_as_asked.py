"""A pruning that did not come to what was asked is told of wherever its runs are."""

from dataclasses import replace

from rethink_det.report import RunResult, StudyResults
from rethink_det.report.not_as_asked import not_as_asked_note
from rethink_det.report.page import write_report
from tests.report.rows import classification


def missed(seed, words='macs: asked for 1, got 2.', model='net', arm='rewind'):
    run = RunResult('classification', arm, seed, {'accuracy/top1': 80.0}, model)
    return replace(run, not_as_asked=words)


def test_nothing_is_said_where_all_came_to_what_was_asked():
    assert not_as_asked_note(classification(fine_tune=[80, 81])) == ''


def test_seeds_of_a_model_are_told_together():
    more = missed(1, 'params: far.', 'other'), missed(0, arm='scratch-e')
    note = not_as_asked_note([missed(0), missed(2), *more])
    assert note.startswith('Pruning did not come to what was asked for.')
    assert 'net, seeds 0, 2; of seed 0: macs: asked for 1, got 2.' in note
    assert 'other, seed 1: params: far.' in note


def test_it_is_in_the_report(tmp_path):
    runs = (*classification(fine_tune=[80, 81], scratch_b=[84, 85]), missed(0))
    results = StudyResults('mine', runs)
    results.write(tmp_path)
    write_report(tmp_path)
    for page in ('report.md', 'report.html'):
        assert 'did not come to what was asked for' in (tmp_path / page).read_text()
