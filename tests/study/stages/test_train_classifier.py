"""The unpruned network, and its arms."""

import numpy as np
import pytest

from rethink_det.architecture.checkpoint import digest, load_checkpoint
from rethink_det.classification import Accuracy
from rethink_det.errors import UserError
from rethink_det.report.image_replicates import ImageReplicates
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


@pytest.fixture
def done(older_stage, tmp_path):
    """Does a stage of the older study in a folder of a name."""

    def do(key, name='run'):
        stage, folder = older_stage(key), tmp_path / name
        config = stage.config()
        config.work_dir = str(folder)
        folder.mkdir(exist_ok=True)
        return stage.do(config, folder)

    return do


def test_it_trains_and_says_what_came_out_and_what_it_took(done, older_results, tmp_path):
    result = done(FINE_TUNE)
    saved = load_checkpoint(tmp_path / 'run' / result.checkpoint)
    assert result.digest == digest(saved['state_dict'])
    before = older_results[FINE_TUNE]
    fields = ('params', 'macs', 'macs_conv', 'macs_linear', 'input_shape', 'epochs')
    fields += ('train_macs', 'total_train_macs', 'architecture', 'checkpoint', 'reference')
    assert {f: getattr(result, f) for f in fields} == {f: getattr(before, f) for f in fields}
    assert set(result.metrics) == set(before.metrics)
    assert (tmp_path / 'run' / 'config.py').is_file()


def test_a_training_is_not_lost_for_what_it_took(done, monkeypatch):
    def gone(*_):
        raise FileNotFoundError('the data went away')

    monkeypatch.setattr(ledger, 'of_training', gone)
    result = done(SCRATCH)
    assert result.metrics and result.digest
    assert result.train_macs is result.total_train_macs is None
    assert result.unmeasured == 'train_macs: FileNotFoundError: the data went away'


def test_two_arms_are_of_the_same_images_and_their_replicates_are_paired(done):
    ours, theirs = done(FINE_TUNE, 'ours'), done(SCRATCH, 'theirs')
    assert ours.test_digest == theirs.test_digest and ours.test_images == theirs.test_images > 0
    one, other = (np.array(run.replicates['accuracy/top1']) for run in (ours, theirs))
    assert len(one) == len(other) == 1000
    for run, values in ((ours, one), (theirs, other)):
        value = run.metrics['accuracy/top1']
        deviation = np.sqrt(value * (100 - value) / run.test_images)
        assert values.std() == pytest.approx(deviation, rel=0.15)
        assert values.mean() == pytest.approx(value, abs=0.2 * deviation)


def test_a_training_that_was_broken_off_after_its_evaluation_has_the_same_replicates(
    done, tmp_path
):
    whole = done(SCRATCH)
    (tmp_path / 'run' / 'replicates.json').unlink()
    assert done(SCRATCH).replicates == whole.replicates


@pytest.mark.parametrize('error', [MemoryError('no room'), UserError('no room')])
def test_a_training_is_not_lost_for_its_replicates(done, monkeypatch, error):
    def fail(_):
        raise error

    monkeypatch.setattr(Accuracy, 'image_replicates', fail)
    result = done(SCRATCH)
    assert result.metrics and result.digest
    assert result.test_images is result.test_digest is result.replicates is None
    assert result.unmeasured.startswith('replicates: ') and result.unmeasured.endswith('no room')


def test_metrics_of_others_leave_no_replicates_and_that_is_said(done, monkeypatch, tmp_path):
    monkeypatch.delattr(Accuracy, 'image_replicates')
    result = done(SCRATCH)
    assert result.unmeasured == (
        'replicates: the evaluation has no metric of this package, which tells images apart'
    )
    with pytest.raises(UserError, match='no metric of this package'):
        ImageReplicates.read(tmp_path / 'run')
