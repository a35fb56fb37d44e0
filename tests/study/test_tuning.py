"""A few learning rates are tried on held-out training images; who tries pays."""

import pytest

from rethink_det.classification.arm_config import ArmSettings
from rethink_det.errors import UserError
from rethink_det.report.fairness import fairness
from rethink_det.study.execute import execute_study
from rethink_det.study.executors import Here
from rethink_det.study.older_runs import parsed_config
from rethink_det.study.tuning import best_of, trial_config, try_rates
from rethink_det.study.with_backbone import with_backbone
from rethink_det.training.config import load_config

RATES = [0.2, 1e-6]


@pytest.fixture
def runs(study, tmp_path):
    """Does the tiny study and gives its runs by arm."""

    def do(**settings):
        results = execute_study(study(**settings), tmp_path / 'work', Here())
        assert not results.incomplete
        return {run.arm: run for run in results.runs}

    return do


def test_arms_take_the_rate_that_did_best_and_pay_for_all(runs):
    done = runs(tune_lr=RATES)
    for arm in ('fine-tune', 'scratch-e'):
        run = done[arm]
        assert set(run.training.tuning) == {'0.2', '1e-06'}
        best = float(max(run.training.tuning, key=run.training.tuning.get))
        assert run.training.lr == best
        config = parsed_config(run.place / 'config.py')
        assert config['optim_wrapper']['optimizer']['lr'] == best
        # 24 images once, and twice the 22 that are not held out, for an epoch each.
        assert run.train_macs == 3 * run.macs * (24 + 2 * 22)
    assert done['fine-tune'].total_train_macs == sum(
        done[arm].train_macs for arm in ('unpruned', 'fine-tune')
    )
    assert done['unpruned'].training.tuning == {}
    assert done['unpruned'].train_macs == 3 * done['unpruned'].macs * 24
    assert 'tuning' in fairness([done['fine-tune']], [done['scratch-e']]).shared


def test_the_test_images_have_no_part_in_it(tiny_config):
    config = tiny_config()
    trial = trial_config(config, 0.5)
    own = config.train_dataloader.dataset
    for name, held in (('train', False), ('val', True)):
        dataset = trial[f'{name}_dataloader'].dataset
        assert (dataset.type, dataset.held) == ('rethink_det.HeldOut', held)
        assert dataset.dataset == own
    assert trial.test_dataloader is None and trial.test_evaluator is None
    assert trial.optim_wrapper.optimizer.lr == 0.5 and config.optim_wrapper.optimizer.lr == 0.05
    assert config.train_dataloader.dataset == own


def test_trials_that_were_done_are_not_done_again(tiny_config, tmp_path):
    found = try_rates(tiny_config(epochs=2, default_hooks={}), [0.1, 0.01], tmp_path)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('epoch_*.pth')}
    assert len(files) >= 2
    assert try_rates(tiny_config(epochs=2, default_hooks={}), [0.1, 0.01], tmp_path) == found
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob('epoch_*.pth')} == files


def test_of_equals_the_first_is_the_best():
    assert best_of({0.1: 50.0, 0.01: 60.0, 0.001: 60.0}) == 0.01


@pytest.mark.parametrize(
    'rates, message',
    [
        (0.1, 'must be a list of different numbers, got 0.1'),
        ([0.1, 0.1], 'must be a list of different numbers'),
        ([0.1, 0], 'a learning rate must be a finite number'),
        (['low'], "a learning rate must be a finite number.*got 'low'"),
        ([float('nan')], 'got nan'),
    ],
)
def test_rates_that_are_none_are_refused(study, rates, message):
    with pytest.raises(UserError, match=f'tune_lr.*{message}'):
        ArmSettings(tune_lr=rates)
    if 'nan' not in message:  # a config cannot say it
        with pytest.raises(UserError, match='tune_lr'):
            study(tune_lr=rates)


def test_what_nobody_evaluates_cannot_be_tuned(tiny_config, tmp_path):
    with pytest.raises(UserError, match='needs a val_dataloader'):
        trial_config(tiny_config(val_dataloader=None, val_cfg=None, val_evaluator=None), 0.1)
    config = tiny_config(epochs=1, default_hooks={}, val_evaluator=[])
    with pytest.raises(UserError, match='goes by accuracy/top1'):
        try_rates(config, [0.1], tmp_path)


def test_a_single_training_does_not_tune(study, tmp_path, cifar):
    study()  # writes net.py
    cifar(depth=8, base_channels=4, classes=2).save(tmp_path / 'shape.json')
    with pytest.raises(UserError, match='tune_lr is for studies'):
        with_backbone(
            load_config(tmp_path / 'net.py'),
            tmp_path / 'shape.json',
            'scratch-e',
            {'tune_lr': [0.1]},
        )


def test_images_that_cannot_be_held_out_are_refused_before_anything_runs(study):
    options = {'study.classification.options': {'train_dataloader.dataset.type': 'ImageNet'}}
    assert study(options=options)
    with pytest.raises(UserError, match='ImageNet is none, so that no learning rate'):
        study(options=options, tune_lr=[0.1])
