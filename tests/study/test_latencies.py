"""All detectors of a study are measured side by side, those of one shape once."""

import pytest

from rethink_det.layout import LATENCIES
from rethink_det.report import RunResult, StudyResults
from rethink_det.report.latencies import Latencies, side_by_side
from rethink_det.study.latencies import measure_latencies


@pytest.fixture
def results(older_study, older_results):
    """The detectors of the study of the version before, of two shapes."""
    runs = [run for run in older_results.values() if run.stage == 'detection']
    return StudyResults('older', runs)


def test_networks_of_one_shape_are_measured_once(results, older_study):
    work = older_study / 'work'
    assert measure_latencies(results, work, seconds=0)
    found = Latencies.read(work)
    arms = [sorted(key.split('/')[2] for key in one.runs) for one in found.networks]
    assert sorted(arms) == [['prune-c', 'prune-d', 'random'], ['unpruned']]
    assert found.missing == {} and all(one.latency_ms > 0 for one in found.networks)
    runs, beside = side_by_side(results.runs, Latencies.read(work))
    assert beside and len({run.latency_ms for run in runs}) == 2


def test_what_is_gone_is_named_and_the_rest_is_measured(results, older_study):
    work = older_study / 'work'
    lost = next(run for run in results.runs if run.arm == 'unpruned')
    lost.checkpoint_path.unlink()
    assert measure_latencies(results, work, seconds=0)
    found = Latencies.read(work)
    assert set(found.missing) == {lost.key} and len(found.networks) == 1
    assert not side_by_side(results.runs, Latencies.read(work))[1]


def test_without_detectors_there_is_nothing_to_measure(tmp_path):
    classifier = RunResult('classification', 'unpruned', 0, key='c', checkpoint='x.pth')
    assert not measure_latencies(StudyResults('none', [classifier]), tmp_path)
    assert not (tmp_path / LATENCIES).exists()
