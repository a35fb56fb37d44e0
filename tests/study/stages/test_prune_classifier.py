"""A classifier is pruned as it was in the version before."""

from dataclasses import replace

import pytest

from rethink_det.architecture.checkpoint import load_checkpoint
from rethink_det.errors import UserError

KEY = 'pruning/classifier/pruned/seed0'


def done(stage, folder):
    folder.mkdir()
    return stage.do(stage.config(), folder)


def test_the_same_is_kept(older_stage, older_results, tmp_path):
    result, before = done(older_stage(KEY), tmp_path / 'run'), older_results[KEY]
    fields = ('digest', 'params', 'macs', 'macs_conv', 'macs_linear', 'input_shape', 'epochs')
    fields += ('train_macs', 'total_train_macs', 'shape_train_macs', 'checkpoint', 'architecture')
    fields += ('stage', 'arm', 'model', 'seed')
    assert {f: getattr(result, f) for f in fields} == {f: getattr(before, f) for f in fields}
    assert (tmp_path / 'run' / 'config.py').is_file()


def test_without_the_initial_weights_there_is_no_ticket(older_stage, older_results, tmp_path):
    trained = older_results['classification/classifier/unpruned/seed0']
    (trained.place / 'initial.pth').unlink()
    result = done(older_stage(KEY), tmp_path / 'run')
    assert 'initial' not in load_checkpoint(tmp_path / 'run' / result.checkpoint)
    assert result.digest != older_results[KEY].digest


def test_a_shape_that_weights_tell_costs_their_training(older_stage, older_results, tmp_path):
    stage = older_stage(KEY)
    slim = dict(type='NetworkSlimmingPruner', ratio=0.3)
    result = done(replace(stage, run=replace(stage.run, pruner=slim)), tmp_path / 'run')
    assert result.shape_train_macs == stage.trained.total_train_macs > 0


def test_an_impossible_ratio_is_refused(older_stage, tmp_path):
    stage = older_stage(KEY)
    pruner = dict(stage.run.pruner, skip=['layer9'])
    with pytest.raises(UserError, match='layer9'):
        done(replace(stage, run=replace(stage.run, pruner=pruner)), tmp_path / 'run')
