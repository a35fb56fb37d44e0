"""Runs of a group are ordinary runs: same files, same end within rounding, killed and resumed."""

import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from rethink_det import UserError
from rethink_det.architecture.checkpoint import digest, load_checkpoint, save_checkpoint
from rethink_det.architecture.weight_masks import pack
from rethink_det.errors import DivergedError
from rethink_det.layout import TOGETHER
from rethink_det.registry import HOOKS
from rethink_det.training.launch import train
from rethink_det.training.resumable import last_checkpoint
from rethink_det.training.together.agreement import check_agreement
from rethink_det.training.together.group import run_together
from rethink_det.training.together.joined import TRIES, joined
from rethink_det.training.together.place import Place

SLIMMING = dict(type='rethink_det.SparsityHook', scale=0.01)
GRADUAL = dict(type='rethink_det.GradualMagnitudeHook', sparsity=0.5, end=2, interval=2)
STRUCTURES = dict(type='rethink_det.StructureScaleHook', weight=0.01)
SOFT = dict(type='rethink_det.SoftFilterHook', keep=0.5)
AVERAGED = dict(type='EMAHook')
ACCUMULATE = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.05, momentum=0.9),
    accumulative_counts=2,
    clip_grad=dict(max_norm=1.0),
)
BFLOAT16 = dict(
    type='rethink_det.BFloat16OptimWrapper', optimizer=dict(type='SGD', lr=0.05, momentum=0.9)
)
NAME, SHAPE = 'backbone.layer1.0.conv1.weight', (4, 4, 3, 3)
MASK = torch.arange(144).view(SHAPE) % 2 == 0


def last(config):
    return load_checkpoint(last_checkpoint(config.work_dir))


def trained(configs):
    """The metrics of runs that are trained together; raises what one of them failed by."""
    ended = run_together([partial(train, config) for config in configs])
    for one in ended:
        if one.error is not None:
            raise one.error
    return [one.value for one in ended]


def assert_same_end(one, other):
    found, expected = last(one), last(other)
    assert digest(found['state_dict']) == digest(expected['state_dict'])
    assert found['param_schedulers'] == expected['param_schedulers']
    torch.testing.assert_close(found['optimizer']['state'], expected['optimizer']['state'])
    assert found['meta']['iter'] == expected['meta']['iter']
    histories = [end['message_hub']['log_scalars']['train/loss'] for end in (found, expected)]
    assert all(torch.equal(own, column) for own, column in zip(*histories, strict=True))


@pytest.mark.parametrize(
    'changes',
    [
        {},
        dict(hooks=[SLIMMING]),
        dict(hooks=[GRADUAL], epochs=2),
        dict(hooks=[STRUCTURES]),
        dict(hooks=[SOFT]),
        dict(hooks=[AVERAGED]),
        dict(optim_wrapper=ACCUMULATE),
    ],
    ids=['plain', 'slimming', 'gradual', 'structures', 'soft', 'ema', 'accumulate'],
)
def test_an_epoch_together_is_an_epoch_alone(member, changes):
    changes = {'epochs': 1, **changes}
    apart = [member(f'alone{s}', seed=s, together=False, **changes) for s in range(2)]
    group = [member(f'group{s}', seed=s, **changes) for s in range(2)]
    for config in apart:
        train(config)
    trained(group)
    for one, other in zip(group, apart, strict=True):
        found, expected = last(one), last(other)
        torch.testing.assert_close(
            dict(found['state_dict']), dict(expected['state_dict']), rtol=1e-4, atol=1e-5
        )
        torch.testing.assert_close(
            found['message_hub']['log_scalars']['train/loss'],
            expected['message_hub']['log_scalars']['train/loss'],
            rtol=1e-4,
            atol=1e-5,
        )
        assert files(one) - files(other) == {TOGETHER} and not files(other) - files(one)


def files(config):
    """Names of its files, but for the config's, which has the time in it."""
    found = Path(config.work_dir).iterdir()
    return {path.name for path in found if path.is_file() and path.suffix != '.py'}


def test_each_has_its_own_weights_order_and_augmentation(member):
    group = [member(f'group{s}', 1, seed=s) for s in range(3)]
    trained(group)
    assert len({digest(last(one)['state_dict']) for one in group}) == 3
    assert [Place.read(Path(one.work_dir)) for one in group] == [Place(s, 3) for s in range(3)]


@HOOKS.register_module(force=True)
class Break(Hook):
    """Breaks a run off before a step, or poisons its weights there."""

    def __init__(self, iteration, poison=False):
        self.iteration, self.poison = iteration, poison

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.iteration and not self.poison:
            raise KeyboardInterrupt
        if runner.iter == self.iteration:
            with torch.no_grad():
                next(runner.model.parameters()).fill_(float('nan'))


@pytest.mark.parametrize(
    'changes, kills',
    [({}, (4, 4)), ({}, (4, 6)), (dict(optim_wrapper=BFLOAT16), (4, 6))],
    ids=['at once', 'one after the other', 'bfloat16'],
)
def test_a_killed_group_ends_as_the_unbroken_one(member, changes, kills):
    unbroken = [member(f'unbroken{s}', 3, seed=s, **changes) for s in range(2)]
    trained(unbroken)
    killed = []
    for seed, iteration in enumerate(kills):
        hook = dict(type='Break', iteration=iteration)
        killed.append(member(f'killed{seed}', 3, seed=seed, hooks=[hook], **changes))
    ended = run_together([partial(train, config) for config in killed])
    assert all(isinstance(one.error, KeyboardInterrupt) for one in ended)
    torch.rand(5)  # what ran before in this process must not matter
    again = [member(f'killed{s}', 3, seed=s, resume=True, **changes) for s in range(2)]
    trained(again)
    for one, other in zip(again, unbroken, strict=True):
        assert_same_end(one, other)


def test_what_is_left_of_a_killed_group_need_not_go_on_together(member):
    unbroken = [member(f'unbroken{s}', 2, seed=s) for s in range(2)]
    trained(unbroken)
    hook = dict(type='Break', iteration=4)
    run_together([partial(train, member(f'killed{s}', 2, seed=s, hooks=[hook])) for s in range(2)])
    again = member('killed1', 2, seed=1, resume=True)
    train(again)
    assert_same_end(again, unbroken[1])


def test_two_of_one_place_may_go_on_together(member):
    """Runs of two groups that were broken off."""
    hook = dict(type='Break', iteration=4)
    for name in 'ab':
        run_together(
            [partial(train, member(f'{name}{s}', 2, seed=s, hooks=[hook])) for s in range(2)]
        )
    again = [member(f'{name}{s}', 2, seed=s, resume=True) for name in 'ab' for s in range(2)]
    trained(again)
    for seed in range(2):
        assert_same_end(again[seed], again[seed + 2])


def test_a_member_that_diverges_leaves_the_others_as_they_were(member):
    whole = [member(f'whole{s}', 2, seed=s) for s in range(3)]
    trained(whole)
    group = [member(f'group{s}', 2, seed=s) for s in range(3)]
    group[1].custom_hooks = [dict(type='Break', iteration=2, poison=True)]
    ended = run_together([partial(train, config) for config in group])
    assert isinstance(ended[1].error, DivergedError) and 'DivergedError' in ended[1].trace
    for seed in (0, 2):
        assert ended[seed].error is None
        assert_same_end(group[seed], whole[seed])


def test_weights_stay_removed_under_masks(member, tmp_path):
    save_checkpoint({'masks': pack({NAME: MASK})}, tmp_path / 'masks.pth')
    held = dict(type='rethink_det.MaskHook', checkpoint=str(tmp_path / 'masks.pth'))
    group = [member(f'group{s}', 1, seed=s, hooks=[held] if s else []) for s in range(2)]
    trained(group)
    dense, masked = (last(one)['state_dict'][NAME] for one in group)
    assert not masked[~MASK].any() and dense[~MASK].any()


def test_one_of_them_may_be_longer(member):
    group = [member(f'group{s}', 1 + s, seed=s) for s in range(2)]
    trained(group)
    assert [last(one)['meta']['epoch'] for one in group] == [1, 2]


def test_a_group_of_one_needs_no_thread(member):
    train(member('run', 2))
    assert Place.read(Path(member('run').work_dir)) == Place(0, 1)
    trained([member('other', 2)])
    assert_same_end(member('run'), member('other'))


def test_other_shapes_are_computed_beside_each_other(member):
    group = [member(f'group{s}', 1) for s in range(2)]
    group[1].model.backbone.base_channels = 3
    trained(group)
    widths = [len(last(one)['state_dict']['backbone.conv1.weight']) for one in group]
    assert widths == [4, 3]


@HOOKS.register_module(force=True)
class Closure(Hook):
    """Multiplies what a layer puts out by numbers that no state dict has."""

    def before_train(self, runner):
        factor = 1 + runner.seed
        runner.model.backbone.bn1.register_forward_hook(lambda m, i, out: out * factor)


def test_a_network_that_does_not_follow_its_weights_is_refused(member):
    group = [member(f'group{s}', 1, seed=s, hooks=[dict(type='Closure')]) for s in range(2)]
    with pytest.raises(UserError, match='differently from the network alone: .*--together 1'):
        trained(group)


@pytest.mark.parametrize('apart, steps', [(TRIES - 1, 6), (TRIES, 6), (1, 1), (2, 3)])
def test_a_step_that_goes_another_way_by_rounding_is_no_reason(member, monkeypatch, apart, steps):
    seen = []

    def check(found, expected):
        seen.append(found)
        if len(seen) <= apart:
            raise UserError('differently from the network alone')
        check_agreement(found, expected)

    monkeypatch.setattr(sys.modules[joined.__module__], 'check_agreement', check)
    run = member('run', 1)
    run.train_dataloader.dataset.count = 8 * steps
    if apart < min(TRIES, steps):
        trained([run])
        assert len(seen) == apart + 1
    else:
        with pytest.raises(UserError, match='differently from the network alone'):
            trained([run])


def test_a_damaged_place_is_refused(member):
    train(member('run', 1))
    for text in ('{', '{"format": "rethink_det.together", "version": 1, "number": 3, "size": 2}'):
        (Path(member('run').work_dir) / TOGETHER).write_text(text)
        with pytest.raises(UserError, match=f'{TOGETHER}.*delete the folder of the run'):
            train(member('run', 2, resume=True))


@pytest.mark.parametrize('other', [dict(compile=True), dict(graph=True)])
def test_a_step_is_computed_one_way(member, other):
    with pytest.raises(UserError, match='graph, compile and together are three ways'):
        train(member('run', 1, loop=other))
