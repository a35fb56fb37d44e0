"""The unpruned network, and its arms."""

import pytest

from rethink_det.architecture.checkpoint import digest, load_checkpoint
from rethink_det.errors import UserError
from rethink_det.study import ledger

FINE_TUNE = 'classification/classifier/fine-tune/seed0'
SCRATCH = 'classification/classifier/scratch-e/seed0'


def test_an_arm_that_inherits_gets_the_weights_and_its_budget(older_stage, older_results):
    config = older_stage(FINE_TUNE).config()
    pruned = older_results['pruning/classifier/pruned/seed0']
    (hook,) = config.custom_hooks
    assert (hook.type, hook.checkpoint) == ('rethink_det.TransferHook', str(pruned.checkpoint_path))
    assert config.model.backbone.architecture == str(pruned.architecture_path)
    assert config.train_cfg.max_epochs == 1
    assert config.optim_wrapper.optimizer.lr == 0.01


def test_an_arm_from_scratch_gets_the_shape_alone(older_stage, older_results):
    config = older_stage(SCRATCH).config()
    pruned = older_results['pruning/classifier/pruned/seed0']
    assert not config.custom_hooks
    assert config.model.backbone.architecture == str(pruned.architecture_path)
    assert config.train_cfg.max_epochs == 2


def test_weights_where_there_is_a_shape_alone_are_refused(older_stage, older_results):
    key = 'pruning/classifier/pruned/seed0'
    older_results[key] = older_results[key].__class__(
        'pruning', 'pruned', 0, architecture='architecture.json', root=older_results[key].place
    )
    with pytest.raises(UserError, match='Arm fine-tune needs a checkpoint with inherited weights'):
        older_stage(FINE_TUNE).config()


def test_it_trains_and_says_what_came_out_and_what_it_took(older_stage, older_results, tmp_path):
    stage = older_stage(FINE_TUNE)
    config = stage.config()
    config.work_dir = str(tmp_path / 'run')
    (tmp_path / 'run').mkdir()
    result = stage.do(config, tmp_path / 'run')
    saved = load_checkpoint(tmp_path / 'run' / result.checkpoint)
    assert result.digest == digest(saved['state_dict'])
    before = older_results[FINE_TUNE]
    fields = ('params', 'macs', 'macs_conv', 'macs_linear', 'input_shape', 'epochs')
    fields += ('train_macs', 'total_train_macs', 'architecture', 'checkpoint', 'reference')
    assert {f: getattr(result, f) for f in fields} == {f: getattr(before, f) for f in fields}
    assert set(result.metrics) == set(before.metrics)
    assert (tmp_path / 'run' / 'config.py').is_file()


def test_a_training_is_not_lost_for_what_it_took(older_stage, tmp_path, monkeypatch):
    def gone(*_):
        raise FileNotFoundError('the data went away')

    monkeypatch.setattr(ledger, 'of_training', gone)
    stage = older_stage(SCRATCH)
    config = stage.config()
    config.work_dir = str(tmp_path / 'run')
    (tmp_path / 'run').mkdir()
    result = stage.do(config, tmp_path / 'run')
    assert result.metrics and result.digest
    assert result.train_macs is result.total_train_macs is None
    assert result.unmeasured == 'train_macs: FileNotFoundError: the data went away'
