"""FastEpochLoop: MMEngine's loop in everything but speed."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook, IterTimerHook
from mmengine.runner import Runner

from rethink_det import UserError
from rethink_det.architecture.checkpoint import digest, load_checkpoint, save_checkpoint
from rethink_det.architecture.weight_masks import pack
from rethink_det.registry import DATASETS, FUNCTIONS
from rethink_det.training.launch import prepare, train
from rethink_det.training.resumable import last_checkpoint

SLIMMING = dict(type='rethink_det.SparsityHook', scale=0.01)
PROGRESS = dict(type='rethink_det.ProgressHook', interval=0)
GRADUAL = dict(type='rethink_det.GradualMagnitudeHook', sparsity=0.5, end=2, interval=2)
STRUCTURES = dict(type='rethink_det.StructureScaleHook', weight=0.01)
SOFT = dict(type='rethink_det.SoftFilterHook', keep=0.5)
WARM_UP = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=4),
    dict(type='MultiStepLR', milestones=[2], gamma=0.5),
]
ACCUMULATE = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.05, momentum=0.9),
    accumulative_counts=2,
    clip_grad=dict(max_norm=1.0),
)
FUSED = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.05, momentum=0.9, fused=True))
LAID = dict(channels_last=True)
STATIC = pytest.param(dict(graph='uncaptured'), marks=pytest.mark.cpu)
"""On a GPU the optimizer's kernels are others then, which round otherwise."""


@pytest.fixture
def fast(tiny_config):
    """Makes the tiny config with this loop, whose settings are ``loop``; without graphs."""

    def make(*args, loop=None, **changes) -> Config:
        config = tiny_config(*args, **changes)
        config.train_cfg.pop('by_epoch')
        config.train_cfg.update(
            type='rethink_det.FastEpochLoop', **dict(graph=False) | (loop or {})
        )
        return config

    return make


class Note(Hook):
    """Notes what it is called with, after all other hooks."""

    priority = 'LOWEST'

    def __init__(self):
        self.steps, self.batches, self.before, self.seen = [], [], 0, []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.before += 1

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.steps.append((runner.epoch, batch_idx, runner.iter))
        self.batches.append(data_batch)
        hub = runner.message_hub
        self.seen.append(
            (
                outputs['loss'].item() == hub.get_scalar('train/loss').current(),
                len(hub.get_scalar('train/loss').data[0]),
                hub.get_info('iter'),
                hub.get_scalar('train/lr').current() == runner.optim_wrapper.get_lr()['lr'][0],
            )
        )


def run_with(config: Config, hook: Hook) -> Runner:
    """Train with one more hook object."""
    runner = Runner.from_cfg(prepare(config))
    runner.register_hook(hook)
    runner.train()
    return runner


def last(config: Config) -> dict:
    return load_checkpoint(last_checkpoint(config.work_dir))


def assert_same_end(one: Config, other: Config) -> None:
    """Two runs ended with the same weights, optimizer, schedule, masks and history."""
    found, expected = last(one), last(other)
    assert digest(found['state_dict']) == digest(expected['state_dict'])
    for number, state in expected['optimizer']['state'].items():
        for name, value in state.items():
            own = found['optimizer']['state'][number][name]
            assert torch.equal(torch.as_tensor(own), torch.as_tensor(value)), name
    assert found['param_schedulers'] == expected['param_schedulers']
    for key in ('epoch', 'iter', 'architecture'):  # which names the digest of masks
        assert found['meta'][key] == expected['meta'][key]
    assert_same_history(*(end['message_hub']['log_scalars'] for end in (found, expected)))


def assert_same_history(found: dict, expected: dict) -> None:
    for name in ('train/lr', 'train/data_time', 'train/loss', 'train/time'):
        for own, column in zip(found[name], expected[name], strict=True):
            assert own.dtype == column.dtype and own.shape == column.shape, name
            assert 'time' in name or torch.equal(own, column), name


# -- the same training -----------------------------------------------------------------------


@pytest.mark.parametrize(
    'changes',
    [
        {},
        dict(hooks=[SLIMMING, PROGRESS]),
        dict(hooks=[GRADUAL]),
        dict(hooks=[STRUCTURES]),
        dict(hooks=[SOFT]),
        dict(hooks=[dict(type='EMAHook')]),
        dict(param_scheduler=WARM_UP),
        dict(optim_wrapper=ACCUMULATE),
    ],
    ids=['plain', 'slimming', 'gradual', 'structures', 'soft', 'ema', 'warm-up', 'accumulate'],
)
@pytest.mark.parametrize('loop', [{}, STATIC], ids=['eager', 'static'])
def test_it_trains_exactly_as_mmengines_loop(tiny_config, fast, changes, loop):
    plain, ours = tiny_config('plain', 2, **changes), fast('ours', 2, loop=loop, **changes)
    assert train(plain) == train(ours)
    assert_same_end(ours, plain)


def test_weights_stay_removed_under_masks(tiny_config, fast, tmp_path):
    name, shape = 'backbone.layer1.0.conv1.weight', (4, 4, 3, 3)
    mask = torch.arange(144).view(shape) % 2 == 0
    save_checkpoint({'masks': pack({name: mask})}, tmp_path / 'masks.pth')
    held = dict(type='rethink_det.MaskHook', checkpoint=str(tmp_path / 'masks.pth'))
    plain, ours = (make(epochs=2, hooks=[held]) for make in (tiny_config, fast))
    ours.work_dir = f'{plain.work_dir}-ours'
    assert train(plain) == train(ours)
    assert_same_end(ours, plain)
    assert not last(ours)['state_dict'][name][~mask].any()


def test_the_last_batch_of_an_epoch_may_be_smaller(tiny_config, fast):
    plain, ours = tiny_config('plain', 2), fast('ours', 2)
    for config in (plain, ours):
        config.train_dataloader.batch_size = 7
    note = Note()
    run_with(ours, note)
    train(plain)
    assert_same_end(ours, plain)
    assert [len(batch['inputs']) for batch in note.batches] == 2 * [7, 7, 7, 3]


def test_workers_are_not_started_and_change_nothing(tiny_config, fast):
    plain, ours = tiny_config('plain', 1), fast('ours', 1)
    ours.train_dataloader.update(num_workers=2, persistent_workers=True)
    train(plain)
    runner = run_with(ours, Note())
    assert_same_end(ours, plain)
    assert runner.train_dataloader._iterator is None


@pytest.mark.parametrize(
    'changes',
    [
        {},
        dict(optim_wrapper=FUSED),
        dict(optim_wrapper=FUSED, loop=LAID),
        dict(loop=dict(graph='uncaptured'), param_scheduler=WARM_UP),
    ],
    ids=['plain', 'fused', 'channels last', 'static'],
)
def test_a_killed_run_ends_as_the_unbroken_one(fast, changes):
    kill = dict(type='rethink_det.KillHook', iteration=5)
    with pytest.raises(KeyboardInterrupt):
        train(fast('killed', 2, hooks=[kill], **changes))
    assert last(fast('killed'))['meta']['epoch'] == 1
    torch.rand(5)  # what ran before in this process must not matter
    assert train(fast('killed', 2, resume=True, **changes)) == train(fast('unbroken', 2, **changes))
    assert_same_end(fast('killed'), fast('unbroken'))


@pytest.mark.parametrize('first, second', [(0, 1), (1, 0)], ids=['to ours', 'from ours'])
def test_either_loop_resumes_what_the_other_began(tiny_config, fast, first, second):
    makers = (tiny_config, fast)
    kill = dict(type='rethink_det.KillHook', iteration=4)
    with pytest.raises(KeyboardInterrupt):
        train(makers[first]('killed', 2, hooks=[kill]))
    train(makers[second]('killed', 2, resume=True))
    train(tiny_config('unbroken', 2))
    assert_same_end(fast('killed'), tiny_config('unbroken'))


def test_weights_laid_channels_last_are_the_same_and_stay_so(fast):
    class Layout(Hook):
        def after_train_iter(self, runner, batch_idx, **kwargs):
            state = runner.optim_wrapper.optimizer.state
            weights = [p for p in runner.model.parameters() if p.ndim == 4]
            for tensor in [*weights, *(state[p]['momentum_buffer'] for p in weights)]:
                assert tensor.is_contiguous(memory_format=torch.channels_last)

    plain, ours = fast('plain', 1), fast('ours', 1, loop=LAID)
    train(plain)
    run_with(ours, Layout())
    assert_same_end(ours, plain)
    start = f'{plain.work_dir}/epoch_1.pth'
    run_with(fast('ours', 2, loop=LAID, load_from=start, resume=True), Layout())


@pytest.mark.cpu
def test_memory_is_kept_from_step_to_step_on_a_cpu(tiny_config, fast, monkeypatch):
    kept = []
    monkeypatch.setattr('rethink_det.training.loop.keep_freed_memory', lambda: kept.append(True))
    train(tiny_config('plain', 1))
    assert not kept
    train(fast('ours', 1))
    assert kept == [True]


# -- hooks and validation --------------------------------------------------------------------


def test_a_hook_of_a_step_is_called_in_every_step_and_sees_it_in_the_message_hub(fast):
    note = Note()
    run_with(fast(epochs=2), note)
    assert note.steps == [
        (epoch, step, 3 * epoch + step) for epoch in range(2) for step in range(3)
    ]
    assert note.before == 6
    assert note.seen == [(True, number + 1, number, True) for number in range(6)]
    for batch in note.batches:
        assert batch.keys() == {'inputs', 'gt_label'}
        assert batch['inputs'].dtype == torch.uint8 and batch['inputs'].shape == (8, 3, 8, 8)


def test_a_hook_may_act_by_any_of_mmengines_methods(fast):
    class Shared(Hook):
        calls = 0

        def _before_iter(self, runner, batch_idx, data_batch=None, mode='train'):
            self.calls += mode == 'train'

    class Own(Hook):
        calls = 0

        def __init__(self):
            self.after_train_iter = self.count

        def count(self, runner, **kwargs):
            self.calls += 1

    for hook in (Shared(), Own()):
        run_with(fast(epochs=1), hook)
        assert hook.calls == 3, hook


def test_a_hook_that_does_nothing_in_a_step_is_not_called(fast, monkeypatch):
    called = []
    for name in ('before_train_iter', 'after_train_iter'):
        monkeypatch.setattr(Hook, name, lambda self, runner, **_: called.append(type(self)))
    run_with(fast(epochs=1), Note())
    assert set(called) == {IterTimerHook}  # whose own code these call


def test_an_error_in_a_hook_is_not_swallowed(fast):
    class Broken(Hook):
        def after_train_iter(self, runner, batch_idx, **kwargs):
            raise ValueError('broken')

    with pytest.raises(ValueError, match='broken'):
        run_with(fast(epochs=1), Broken())


@pytest.mark.parametrize(
    'settings, expected',
    [(dict(val_interval=2), [2, 4, 5]), (dict(val_interval=1, val_begin=4), [4, 5])],
    ids=str,
)
def test_it_validates_at_the_interval_and_after_the_last_epoch(fast, settings, expected):
    class Validations(Hook):
        def __init__(self):
            self.epochs = []

        def after_val_epoch(self, runner, metrics=None):
            self.epochs.append(runner.epoch)

    hook = Validations()
    run_with(fast(epochs=5, loop=settings), hook)
    assert hook.epochs == expected


def test_the_log_says_what_mmengines_says(tiny_config, fast):
    def lines(config):
        config.default_hooks = dict(logger=dict(type='LoggerHook', interval=2))
        config.log_level = 'INFO'
        (log,) = Path(run_with(config, Note()).log_dir).glob('*.log')
        rows = [row for row in log.read_text().splitlines() if 'Epoch(train)' in row]
        return [(row.split('Epoch')[1].split(' eta')[0], row.split('loss: ')[1]) for row in rows]

    assert lines(fast('ours', 2)) == lines(tiny_config('plain', 2)) != []


# -- options ---------------------------------------------------------------------------------


@pytest.mark.cpu
def test_compiling_is_left_out_with_a_message_where_there_is_no_gpu(fast, tmp_path, capsys):
    plain, ours = fast('plain', 1), fast('ours', 1, loop=dict(compile=True))
    train(plain)
    train(ours)
    assert 'compile: left out, this run trains on the cpu' in capsys.readouterr().out
    assert_same_end(ours, plain)


# -- refusals --------------------------------------------------------------------------------


@DATASETS.register_module(force=True)
class Wrapped:
    """Items of a data set that is in memory, as they are or changed."""

    metainfo = dict(classes=('dark', 'bright'))

    def __init__(self, change=0, bare=False):
        images = torch.zeros(8, 3, 8, 8, dtype=torch.uint8)
        self.items, self.change = (images, torch.arange(8) % 2), change
        if not bare:
            self.images, self.labels = self.items

    def __len__(self):
        return 8

    def __getitem__(self, index):
        images, labels = self.items
        return dict(inputs=images[index] + self.change, gt_label=labels[index])


@FUNCTIONS.register_module(force=True)
def darker(batch):
    """Halves the images of a finished batch."""
    return dict(batch, inputs=batch['inputs'] // 2)


@pytest.mark.parametrize(
    'key, value, message',
    [
        ('dataset', dict(type='rethink_det.Wrapped', bare=True), 'Wrapped with this collate_fn'),
        ('dataset', dict(type='rethink_det.Wrapped', change=1), 'Wrapped with this collate_fn'),
        ('collate_fn', dict(type='rethink_det.darker'), 'TinyImages with this collate_fn'),
        ('collate_fn', dict(type='pseudo_collate'), 'rethink_det.batch_collate'),
    ],
    ids=['elsewhere', 'changed', 'changed in the batch', 'uncollated'],
)
def test_a_data_set_that_is_no_tensor_is_refused(fast, key, value, message):
    config = fast()
    config.train_dataloader[key] = value
    with pytest.raises(UserError, match=message):
        train(config)


def test_a_plain_data_set_is_no_reason_to_refuse(fast):
    config = fast(epochs=1)
    config.train_dataloader.dataset = dict(type='rethink_det.Wrapped')
    train(config)
    assert last(config)['meta']['iter'] == 1
