"""Replicates are written after the last evaluation alone, by the main process, or the reason."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from rethink_det.errors import UserError
from rethink_det.layout import REPLICATES
from rethink_det.registry import HOOKS
from rethink_det.report.image_replicates import ImageReplicates
from rethink_det.training.hooks import image_replicates as module

ONE = ImageReplicates.of(4, 'ab' * 32, {'accuracy/top1': np.array([25.0, 50.0])})
OTHER = ImageReplicates.of(4, 'ab' * 32, {'coco/bbox_mAP': np.array([0.5, 0.25])})


def metric(found):
    def give():
        if isinstance(found, Exception):
            raise found
        return found

    return SimpleNamespace(image_replicates=give)


@pytest.fixture
def hook():
    return HOOKS.build(dict(type='rethink_det.ImageReplicatesHook'))


@pytest.fixture
def runner(tmp_path):
    """Makes one that has just evaluated by these metrics, after so many of 6 iterations."""

    def make(*metrics, iteration=6):
        loop = SimpleNamespace(evaluator=SimpleNamespace(metrics=metrics))
        settings = dict(val_loop=loop, test_loop=loop, work_dir=str(tmp_path))
        return SimpleNamespace(**settings, iter=iteration, max_iters=6)

    return make


def test_all_that_the_metrics_know_is_written_at_the_end(hook, runner, tmp_path):
    hook.after_val_epoch(runner(metric(ONE), object(), metric(OTHER)))
    assert ImageReplicates.read(tmp_path) == ONE.joined(OTHER)


def test_an_evaluation_in_the_middle_of_training_leaves_nothing(hook, runner, tmp_path):
    hook.after_val_epoch(runner(metric(ONE), iteration=5))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('iteration, wanted', [(0, False), (5, False), (6, True)])
def test_metrics_remember_their_images_where_no_training_follows(hook, runner, iteration, wanted):
    metric = SimpleNamespace(keep_images=not wanted)
    hook.before_val_epoch(runner(metric, object(), iteration=iteration))
    assert metric.keep_images is wanted
    hook.before_test_epoch(runner(metric, iteration=iteration))
    assert metric.keep_images


def test_every_test_counts(hook, runner, tmp_path):
    hook.after_test_epoch(runner(metric(ONE), iteration=0))
    assert ImageReplicates.read(tmp_path) == ONE


def test_other_metrics_leave_nothing(hook, runner, tmp_path):
    hook.after_test_epoch(runner(object()))
    assert not list(tmp_path.iterdir())


def test_the_main_process_alone_writes(hook, runner, tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'is_main_process', lambda: False)
    hook.after_test_epoch(runner(metric(ONE)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    'metrics, said',
    [
        ([MemoryError('no room')], 'MemoryError: no room'),
        ([UserError('no inputs.')], 'no inputs'),
        ([ONE, ImageReplicates(4, 'cd' * 32, OTHER.replicates)], 'not of the same test images'),
    ],
)
def test_what_cannot_be_known_costs_no_training(hook, runner, tmp_path, metrics, said):
    hook.after_val_epoch(runner(*map(metric, metrics)))
    assert said in json.loads((tmp_path / REPLICATES).read_text())['unmeasured']
    with pytest.raises(UserError, match=said):
        ImageReplicates.read(tmp_path)
