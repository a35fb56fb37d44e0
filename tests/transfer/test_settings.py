"""What a transfer arm may be told: a longer schedule for random weights, SyncBN."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import Config

from rethink_det.arms import ARMS, DETECTION
from rethink_det.detection import TransferSettings
from rethink_det.errors import UserError
from rethink_det.training import Budget
from rethink_det.training.budget import Base
from rethink_det.training.config import load_config
from rethink_det.transfer.settings import lengthened

RANDOM = ARMS.get(DETECTION, 'random')


@pytest.fixture
def faster():
    return load_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py')


@pytest.mark.parametrize(
    'schedule, epochs, drops',
    [('1x', 12, [8, 11]), ('2x', 24, [16, 22]), ('3x', 36, [28, 34]), ('6x', 72, [64, 70])],
)
def test_drops_stay_where_they_are_from_the_end(faster, schedule, epochs, drops):
    TransferSettings(schedule=schedule).apply(faster, RANDOM)
    assert faster.train_cfg.max_epochs == epochs
    warm_up, steps = faster.param_scheduler
    assert (steps.milestones, steps.end) == (drops, epochs)
    assert (warm_up.begin, warm_up.end) == (0, 500)  # iterations


def test_twice_is_mmdets_own_2x(faster):
    TransferSettings(schedule='2x').apply(faster, RANDOM)
    theirs = load_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_2x_coco.py')
    assert faster.train_cfg.max_epochs == theirs.train_cfg.max_epochs
    assert faster.param_scheduler[1].milestones == theirs.param_scheduler[1].milestones


@given(st.integers(2, 30), st.data(), st.integers(2, 6))
def test_only_the_first_part_grows_beyond_twice(epochs, data, times):
    drops = data.draw(st.lists(st.integers(epochs // 2, epochs - 1), min_size=1, unique=True))
    budget = Budget(epochs, (dict(type='MultiStepLR', milestones=sorted(drops)),))
    longer = lengthened(budget, times)
    twice = lengthened(budget, 2)
    assert longer.epochs == times * epochs
    ends = [
        [one.epochs - drop for drop in one.schedulers[0]['milestones']] for one in (longer, twice)
    ]
    assert ends[0] == ends[1] == [2 * (epochs - drop) for drop in sorted(drops)]


def test_a_schedule_without_drops_is_stretched_as_a_whole():
    cosine = dict(type='CosineAnnealingLR', T_max=12, begin=0, end=12)
    assert lengthened(Budget(12, (cosine,)), 3).schedulers == (cosine | dict(T_max=36, end=36),)


def test_the_default_changes_nothing(faster):
    before = faster.to_dict()
    for arm in ARMS.of(DETECTION):
        if not TransferSettings().compares_detectors(arm):
            TransferSettings().apply(faster, arm)
    assert faster.to_dict() == before


def test_sync_bn_is_mmengines(faster):
    TransferSettings(sync_bn=True).apply(faster, RANDOM)
    assert faster.sync_bn == 'torch'


@pytest.mark.parametrize('arm', [arm.name for arm in ARMS.of(DETECTION) if arm.takes_weights])
def test_arms_with_weights_train_no_longer_than_each_other(faster, arm):
    with pytest.raises(UserError, match=f'schedule=6x is for arm random: arm {arm} trains'):
        TransferSettings(schedule='6x').apply(faster, ARMS.get(DETECTION, arm))


@pytest.mark.parametrize('schedule', ['7x', '0x', '6', 'six', '', '12x', '2x ', 'lottery'])
def test_unknown_schedule_is_refused(faster, schedule):
    with pytest.raises(UserError, match='Unknown schedule.*1x to 6x'):
        TransferSettings(schedule=schedule).apply(faster, RANDOM)


def test_a_detector_that_counts_iterations_is_refused():
    config = Config(dict(train_cfg=dict(type='IterBasedTrainLoop', max_iters=90000)))
    with pytest.raises(UserError, match='Budgets count epochs'):
        TransferSettings(schedule='2x').apply(config, RANDOM)


BASE = Base(Budget(8, (dict(type='MultiStepLR', milestones=[6]),)), None, 300, 200)


@pytest.mark.parametrize(
    'arm, settings, epochs',
    [
        ('prune-c', {}, 8),
        ('prune-c', dict(budget='compute'), 12),
        ('unpruned', dict(budget='compute'), 8),
        ('unpruned-d', dict(budget='compute'), 8),
        ('prune-d', dict(budget='compute'), 12),
        ('scratch-d', {}, 8 * 3 // 2 + 8),
        ('scratch-d', dict(budget='compute'), 12 + 12),
        ('scratch-d', dict(epochs=5), 5),
        ('random', dict(schedule=2.4), 19),
        ('random', dict(schedule='scratch-d'), 20),
        ('random', dict(budget='compute', schedule=0.5), 6),
        ('random', dict(schedule='2x'), 16),
    ],
)
def test_an_arm_has_the_epochs_of_its_rule_or_its_own(arm, settings, epochs):
    budget = TransferSettings(**settings).budget_of(ARMS.get(DETECTION, arm), BASE)
    assert budget.epochs == epochs


def test_scratch_d_gets_what_both_trainings_of_prune_d_took_as_they_were():
    both = TransferSettings(epochs=4), TransferSettings(schedule=0.5)
    budget = TransferSettings(equal_to=both).budget_of(ARMS.get(DETECTION, 'scratch-d'), BASE)
    assert budget.epochs == 4 * 3 // 2 + 4


@pytest.mark.parametrize(
    'settings, words',
    [
        (dict(budget='money'), "budget 'money' is none of epochs, compute"),
        (dict(epochs=0), 'The epochs of an arm must be'),
        (dict(epochs=3, schedule=2.0), 'Either epochs=3 or schedule=2.0'),
    ],
)
def test_settings_that_are_none_are_refused(settings, words):
    with pytest.raises(UserError, match=words):
        TransferSettings(**settings)
