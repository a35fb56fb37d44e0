"""The runs of a study are trained in recorded steps: nothing that it adds stands against it."""

import pytest
from mmengine.hooks import Hook

from rethink_det.registry import HOOKS
from rethink_det.study.execute import execute_study
from rethink_det.study.executors import Here


@pytest.fixture
def recorded(study, tiny_config, tmp_path):
    """Makes a study over the tiny classifier, whose trainings are of recorded steps."""

    def make(hooks=(), **parts):
        config = tiny_config(hooks=hooks)
        config.train_cfg = dict(type='rethink_det.FastEpochLoop', max_epochs=4, graph='uncaptured')
        config.log_level = 'INFO'
        config.dump(tmp_path / 'net.py')
        return study(**parts)

    return make


@HOOKS.register_module(force=True)
class NobodyKnows(Hook):
    """Acts in each step."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        pass


def logs_of(results):
    """What the trainings logged."""
    folders = [run.place for run in results.runs if run.epochs]
    assert folders
    return [log.read_text() for folder in folders for log in folder.glob('*/*.log')]


@pytest.mark.cpu
@pytest.mark.parametrize('pruner', ['L1NormPruner', 'MagnitudePruner'])
def test_no_hook_of_a_study_stands_against_a_recording(recorded, tmp_path, pruner):
    ratio = dict(ratios=0.5) if pruner == 'L1NormPruner' else dict(ratio=0.5)
    results = execute_study(recorded(pruner=dict(type=pruner, **ratio)), tmp_path / 'work', Here())
    assert not results.incomplete
    logs = logs_of(results)
    assert len(logs) == 3 and not [log for log in logs if 'graph: left out' in log]


@pytest.mark.cpu
def test_one_that_does_is_named_in_the_log(recorded, tmp_path):
    planned = recorded([dict(type='rethink_det.NobodyKnows')], arms=['scratch-e'])
    logs = logs_of(execute_study(planned, tmp_path / 'work', Here()))
    assert logs and all('graph: left out, NobodyKnows acts in each step' in log for log in logs)
