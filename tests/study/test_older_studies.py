"""A study of the version before is read, reported and continued."""

import json
from pathlib import Path

from rethink_det.report import Reference, RunResult, StudyResults, Transferred
from rethink_det.report.page import write_report


def test_its_results_are_read_with_everything_that_stands_in_them(older_study):
    results = StudyResults.read(older_study / 'work')
    assert results.title == 'A study of the version before'
    runs = {(run.stage, run.arm): run for run in results.runs}
    assert set(runs) == {
        *(('classification', arm) for arm in ('unpruned', 'fine-tune', 'scratch-e')),
        *(('detection', arm) for arm in ('unpruned', 'prune-c', 'prune-d', 'random')),
    }
    assert runs['classification', 'fine-tune'].reference == Reference(42.0, 'nobody, in no paper')
    detector = runs['detection', 'prune-c']
    assert detector.transferred == Transferred(42, 'bbf70feee0c4479e')
    assert runs['detection', 'random'].transferred == Transferred()
    assert detector.input_shape == (3, 64, 64)
    assert [one.stride for one in detector.stages] == [1, 2, 4]
    assert all(run.files_exist for run in results.runs)  # where the study is now


def test_each_of_its_runs_is_read(older_study):
    root = older_study / 'work'
    runs = [RunResult.read(path.parent, root) for path in root.rglob('result.json')]
    assert len(runs) == 9 and all(run.files_exist for run in runs)
    pruning = next(run for run in runs if run.stage == 'pruning')
    assert pruning.plan.settings == {'pruner': {'type': 'L1NormPruner', 'ratios': 0.5}}
    assert pruning.shape_train_macs == 0


def test_it_is_reported_as_it_was(older_study):
    written = write_report(older_study / 'work')
    text = written['markdown'].read_text()
    rows = json.loads((older_study / 'work' / 'results.json').read_text())['runs']
    for run in rows:
        if run['stage'] == 'classification':
            assert f'{run["metrics"]["accuracy/top1"]:.2f}' in text
    assert '42.00 (nobody, in no paper)' in text
    assert 'bbf70feee0c4479e' in text
    assert Path(older_study, 'work', 'plots').is_dir()
