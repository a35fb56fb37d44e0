"""Budgets: Scratch-B spends the compute of the big network, and drops its rate in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import Config

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.training import Budget, constant
from rethink_det.training.budget import Base, check_own_budget

CIFAR = Budget(160, (dict(type='MultiStepLR', milestones=[80, 120], gamma=0.1),))
IMAGENET = Budget(90, (dict(type='StepLR', step_size=30, gamma=0.1),))


@pytest.mark.parametrize(
    'name, epochs, milestones', [('resnet56-a', 178, [89, 133]), ('resnet56-b', 220, [110, 165])]
)
def test_scratch_b_on_cifar_is_the_published_budget(name, epochs, milestones):
    full, pruned = (PrunedArchitecture.load(n).cost().macs for n in ('resnet56', name))
    budget = CIFAR.stretched(full, pruned, rounding='floor')
    assert budget.epochs == epochs
    assert budget.schedulers == (dict(type='MultiStepLR', milestones=milestones, gamma=0.1),)


@pytest.mark.parametrize('name, epochs, step', [('resnet34-a', 106, 35), ('resnet34-b', 118, 39)])
def test_scratch_b_on_imagenet_is_the_published_budget(name, epochs, step):
    full, pruned = (PrunedArchitecture.load(n).cost().macs for n in ('resnet34', name))
    budget = IMAGENET.stretched(full, pruned, cap=2, rounding='floor')
    assert budget.epochs == epochs
    assert budget.schedulers == (dict(type='StepLR', step_size=step, gamma=0.1),)


@pytest.mark.parametrize('ratio', [2, 2.2354, 3.4790, 15.353])
def test_the_cap_stops_the_stretch(ratio):
    capped = IMAGENET.stretched(int(ratio * 10**6), 10**6, cap=2)
    assert (capped.epochs, capped.schedulers[0]['step_size']) == (180, 60)
    longer = IMAGENET.stretched(int(ratio * 10**6), 10**6, rounding='floor')
    assert longer.epochs == int(90 * ratio)


@given(
    epochs=st.integers(1, 1000),
    pruned=st.integers(1, 10**10),
    more=st.integers(0, 10**10),
    milestones=st.lists(st.integers(0, 1000)).map(sorted),
)
def test_scratch_b_spends_the_compute_and_not_an_epoch_more(epochs, pruned, more, milestones):
    full = pruned + more
    schedule = dict(type='MultiStepLR', milestones=[m % epochs for m in milestones])
    schedule['milestones'].sort()
    budget = Budget(epochs, (schedule,)).stretched(full, pruned, rounding='floor')
    assert budget.epochs * pruned <= epochs * full < (budget.epochs + 1) * pruned
    assert budget.epochs >= epochs
    nearest = Budget(epochs, (schedule,)).stretched(full, pruned)
    assert abs(nearest.epochs * pruned - epochs * full) * 2 <= pruned
    scaled = budget.schedulers[0]['milestones']
    assert scaled == sorted(scaled) and all(0 <= m < budget.epochs for m in scaled)
    assert all(new >= old for new, old in zip(scaled, schedule['milestones'], strict=True))


def test_a_network_of_the_same_cost_trains_as_long():
    assert CIFAR.stretched(100, 100) == CIFAR == CIFAR.stretched(100, 100, cap=1)
    assert CIFAR.scaled(160) == CIFAR


def test_warm_up_by_iterations_stays_and_the_base_budget_too():
    warm_up = dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500)
    cosine = dict(type='CosineAnnealingLR', T_max=85, begin=5, end=90, by_epoch=True, eta_min=0)
    budget = Budget(90, (warm_up, cosine))
    doubled = budget.stretched(2, 1)
    assert doubled.schedulers[0] == warm_up
    assert doubled.schedulers[1] == {**cosine, 'T_max': 170, 'begin': 10, 'end': 180}
    assert budget.schedulers[1]['T_max'] == 85


def test_a_budget_is_read_from_a_config_and_written_back(tiny_config):
    config = tiny_config(epochs=4)
    budget = Budget.of(config)
    assert budget.epochs == 4 and budget.schedulers[0]['milestones'] == [1, 2]
    budget.stretched(3, 2).apply(config)
    assert config.train_cfg.max_epochs == config.train_cfg.val_interval == 6
    assert config.param_scheduler[0].milestones == [2, 3]
    assert Budget.of(config) == budget.stretched(3, 2)
    single = Config(dict(train_cfg=dict(max_epochs=2), param_scheduler=dict(type='ConstantLR')))
    assert Budget.of(single) == Budget(2, (dict(type='ConstantLR'),))


def test_fine_tuning_never_drops_the_rate():
    assert constant(40) == Budget(40, ())


@pytest.mark.parametrize('full, pruned', [(100, 101), (100, 0), (0, 0), (100, -1)])
def test_a_pruned_network_that_costs_more_is_refused(full, pruned):
    with pytest.raises(UserError, match=f'{pruned} FLOPs, the full one {full}: nothing was'):
        CIFAR.stretched(full, pruned)


@pytest.mark.parametrize('cap', [0.9, 0, -2])
def test_a_cap_below_one_is_refused(cap):
    with pytest.raises(UserError, match=f'cap on the ratio must be at least 1, got {cap}'):
        CIFAR.stretched(3, 2, cap)


@pytest.mark.parametrize('train_cfg', [None, {}, dict(by_epoch=False, max_iters=90_000)])
def test_a_config_that_counts_iterations_is_refused(train_cfg):
    with pytest.raises(UserError, match='Budgets count epochs.*max_epochs'):
        Budget.of(Config(dict(train_cfg=train_cfg)))


@pytest.mark.parametrize('cap', [float('nan'), float('inf'), '2'])
def test_a_cap_that_is_no_finite_number_is_refused(cap):
    with pytest.raises(UserError, match='The cap on the ratio must be a finite number, got'):
        CIFAR.stretched(3, 2, cap)


@pytest.mark.parametrize('epochs', [0, -3, 2.5, '12'])
def test_a_config_of_no_epochs_is_refused_by_key(epochs):
    with pytest.raises(UserError, match=r'train_cfg.max_epochs must be .*at least 1, got'):
        Budget.of(dict(train_cfg=dict(max_epochs=epochs)))


@pytest.mark.parametrize('schedule', ['MultiStepLR', ['StepLR']], ids=str)
def test_a_schedule_that_is_no_list_of_configs_is_refused(schedule):
    with pytest.raises(UserError, match='param_scheduler must be a list of dicts, got'):
        Budget.of(dict(train_cfg=dict(max_epochs=3), param_scheduler=schedule))


def test_no_schedule_is_scaled_to_nothing():
    with pytest.raises(UserError, match='The epochs of a budget must be .*at least 1, got 0'):
        CIFAR.scaled(0)


def test_fine_tuning_for_no_epochs_is_refused():
    with pytest.raises(UserError, match='The epochs of fine-tuning must be .*at least 1, got 0'):
        constant(0)


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 10**9), st.integers(0, 10**9))
def test_a_compressed_schedule_is_stretched_from_the_whole_of_it(length, epochs, pruned, more):
    """Rounding twice lost up to a sixth of the compute at small budgets."""
    schedule = dict(type='MultiStepLR', milestones=[length // 2])
    base = Base(Budget(length, (schedule,)), epochs, pruned + more, pruned)
    longer = base.stretched()
    assert abs(longer.epochs * pruned - epochs * (pruned + more)) * 2 <= pruned
    (milestone,) = longer.schedulers[0]['milestones']
    if 1 < milestone < longer.epochs - 1:
        assert abs(milestone * length - longer.epochs * (length // 2)) * 2 <= length


@given(st.integers(2, 300), st.data(), st.integers(2, 300))
def test_a_drop_comes_after_the_first_epoch_and_before_the_last(length, data, epochs):
    drop = data.draw(st.integers(1, length - 1))
    scaled = Budget(length, (dict(type='MultiStepLR', milestones=[drop]),)).scaled(epochs)
    assert 0 < scaled.schedulers[0]['milestones'][0] < epochs


def test_total_is_the_compute_of_both_trainings():
    base = Base(CIFAR, None, 300, 100)
    assert base.total(160, 40).epochs == 160 * 3 + 40
    assert base.total(0, 12.4).epochs == 12
    assert base.total(0, 0).epochs == 1
    assert base.total(160, 160).schedulers[0]['milestones'] == [320, 480]
    assert base._replace(epochs=10).base() == CIFAR.scaled(10) and base.base() is CIFAR


@pytest.mark.parametrize(
    'epochs, schedule, words',
    [
        (3, 2.0, 'Either epochs=3 or schedule=2.0'),
        (0, None, 'The epochs of an arm must be a whole number of at least 1, got 0'),
        (2.5, None, 'must be a whole number'),
        (None, 0, 'times the epochs of the arm must be a finite number of at least 0.001, got 0'),
        (None, float('nan'), 'must be a finite number'),
        (None, 'prune-c', "Unknown classification arm 'prune-c'"),
    ],
)
def test_a_budget_of_ones_own_that_is_none_is_refused(epochs, schedule, words):
    with pytest.raises(UserError, match=words):
        check_own_budget('classification', epochs, schedule)


def test_rounding_that_is_none_is_refused():
    with pytest.raises(UserError, match="rounding must be one of nearest, floor, got 'up'"):
        CIFAR.stretched(2, 1, rounding='up')


def test_the_arguments_of_the_last_release_warn():
    budget = Budget(160, ())
    with pytest.warns(DeprecationWarning, match='full_macs is now called full_flops'):
        assert budget.stretched(full_macs=200, pruned_flops=100).epochs == 320
    with pytest.raises(TypeError, match='full_cost'):
        budget.stretched(full_cost=200, pruned_flops=100)
