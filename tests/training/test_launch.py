"""Whole runs of MMEngine's runner: repeatable, resumable, and safe to read back."""

from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from rethink_det import UserError
from rethink_det.architecture import PrunedArchitecture
from rethink_det.architecture.checkpoint import digest, load_checkpoint, save_checkpoint
from rethink_det.training.launch import evaluate, prepare, train
from rethink_det.training.resumable import last_checkpoint

PLAIN = (dict, list, str, int, float, bool, type(None), torch.Tensor)


def last(config: Config) -> dict:
    return load_checkpoint(last_checkpoint(config.work_dir))


def optimizer_digest(checkpoint: dict) -> str:
    state = checkpoint['optimizer']['state']
    return digest({f'{i}.{k}': v for i, s in state.items() for k, v in s.items()})


def leaves(value, path=''):
    if isinstance(value, dict):
        assert all(isinstance(key, (str, int)) for key in value), path
        for key, item in value.items():
            yield from leaves(item, f'{path}.{key}')
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from leaves(item, f'{path}[{index}]')
    else:
        yield path, value


@pytest.fixture
def unbroken(tiny_config):
    """A finished run: its config, metrics and last checkpoint."""
    config = tiny_config('unbroken')
    metrics = train(config)
    return config, metrics, last(config)


def test_a_checkpoint_needs_no_code_and_describes_itself(unbroken):
    config, _, _ = unbroken
    path = last_checkpoint(config.work_dir)
    assert path.name == 'epoch_3.pth'
    checkpoint = torch.load(path, weights_only=True)
    odd = [where for where, value in leaves(checkpoint) if not isinstance(value, PLAIN)]
    assert not odd
    assert type(checkpoint['meta']['architecture']) is dict
    architecture = PrunedArchitecture.load(path)
    assert architecture.backbone == config.model.backbone
    assert architecture.input_shape == (3, 8, 8)
    architecture.build_network().load_state_dict(checkpoint['state_dict'])


def test_a_checkpoint_says_where_it_comes_from(unbroken):
    provenance = unbroken[2]['meta']['provenance']
    assert provenance['seed'] == 1
    assert provenance['data'] == 'TinyImages of 24 images'
    assert len(provenance['config_digest']) == 16
    assert provenance['versions']['torch'] == version('torch')
    assert any('mmengine' in package for package in provenance['versions'])


def test_the_config_digest_is_of_what_matters(tiny_config):
    def provenance(*args, **kwargs):
        config = tiny_config(*args, epochs=1, **kwargs)
        train(config)
        return last(config)['meta']['provenance']['config_digest']

    assert provenance('a') == provenance('b')
    assert provenance('c', lr=0.06) != provenance('d')


def test_the_metrics_are_those_of_the_last_epoch(unbroken):
    config, metrics, _ = unbroken
    assert metrics.keys() == {'accuracy/top1'} and 0 <= metrics['accuracy/top1'] <= 100
    assert evaluate(config, last_checkpoint(config.work_dir)) == metrics


def test_validation_happens_after_the_last_epoch_whatever_the_interval(tiny_config, unbroken):
    config = tiny_config('rarely')
    config.train_cfg.val_interval = 2
    assert train(config) == unbroken[1]


def test_without_evaluator_there_are_no_metrics(tiny_config):
    config = tiny_config(epochs=1)
    for key in ('val_dataloader', 'val_cfg', 'val_evaluator'):
        config[key] = None
    assert train(config) == {}
    assert last_checkpoint(config.work_dir)


def test_training_leaves_the_config_as_it_was(tiny_config):
    config = tiny_config(epochs=1)
    before = config.pretty_text
    train(config)
    assert config.pretty_text == before


def test_a_seed_repeats_a_run_and_another_does_not(tiny_config, unbroken):
    same, other = tiny_config('same'), tiny_config('other', seed=2)
    assert train(same) == unbroken[1]
    train(other)
    assert digest(last(same)['state_dict']) == digest(unbroken[2]['state_dict'])
    assert digest(last(other)['state_dict']) != digest(unbroken[2]['state_dict'])


@pytest.mark.parametrize('iteration', [3, 5, 6], ids=['epoch 1', 'within epoch 1', 'epoch 2'])
def test_a_killed_run_ends_as_the_unbroken_one(tiny_config, unbroken, iteration):
    _, metrics, expected = unbroken
    kill = dict(type='rethink_det.KillHook', iteration=iteration)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config('killed', hooks=[kill]))
    config = tiny_config('killed', resume=True)
    assert last(config)['meta']['epoch'] == iteration // 3
    torch.rand(5)  # what ran before in this process must not matter
    assert train(config) == metrics
    found = last(config)
    assert digest(found['state_dict']) == digest(expected['state_dict'])
    assert optimizer_digest(found) == optimizer_digest(expected)
    assert found['param_schedulers'] == expected['param_schedulers']
    history, unbroken_history = (c['message_hub']['log_scalars'] for c in (found, expected))
    for name in ('train/lr', 'train/loss'):
        for column, other in zip(history[name], unbroken_history[name], strict=True):
            assert torch.equal(column, other)


def test_resuming_with_nothing_there_starts_anew(tiny_config, unbroken):
    config = tiny_config('empty', resume=True)
    assert train(config) == unbroken[1]


def test_resuming_a_finished_run_evaluates_it(tiny_config, unbroken):
    config, metrics, checkpoint = unbroken
    assert train(tiny_config('unbroken', resume=True)) == metrics
    assert digest(last(config)['state_dict']) == digest(checkpoint['state_dict'])


def test_an_unbroken_run_can_go_on_from_a_checkpoint_elsewhere(tiny_config, unbroken):
    config, metrics, _ = unbroken
    start = Path(config.work_dir) / 'epoch_1.pth'
    again = tiny_config('elsewhere', load_from=str(start), resume=True)
    assert train(again) == metrics


def test_resuming_runs_no_code_from_a_checkpoint(tiny_config, tmp_path, unbroken):
    checkpoint = unbroken[2]
    mark = tmp_path / 'the code ran'
    checkpoint['meta']['config'] = f"a = open({str(mark)!r}, 'w').close()\n"
    save_checkpoint(checkpoint, tmp_path / 'evil.pth')
    train(tiny_config('resumed', epochs=4, load_from=str(tmp_path / 'evil.pth'), resume=True))
    assert not mark.exists()


def test_two_runs_in_a_row_log_into_their_own_folders(tiny_config):
    """MMEngine names a run by the second it starts in, and reuses a logger of that name."""
    for name in ('first', 'second'):
        config = tiny_config(name, epochs=1, log_level='INFO')
        train(config)
        logs = list(Path(config.work_dir).rglob('*.log'))
        assert len(logs) == 1
        assert f"work_dir = '{config.work_dir}'" in logs[0].read_text()


def test_hooks_of_a_config_win_over_ours(tiny_config):
    config = tiny_config(epochs=1, default_hooks=dict(provenance=None))
    assert 'provenance' not in prepare(config).default_hooks
    other = prepare(tiny_config(default_hooks=dict(epoch_seed=dict(type='IterTimerHook'))))
    assert other.default_hooks['epoch_seed'] == dict(type='IterTimerHook')
    assert 'provenance' in other.default_hooks
    train(config)
    assert 'provenance' not in last(config)['meta']


# -- pruned networks -----------------------------------------------------------------------


@cache
def pruned_backbone() -> dict:
    architecture = PrunedArchitecture(
        dict(type='rethink_det.CifarResNet', depth=8, base_channels=4),
        dict(type='rethink_det.LinearHead', num_classes=2),
        (3, 8, 8),
        {'layer1.0.conv1': (1, 3)},
        name='tiny-a',
    )
    return dict(type='rethink_det.PrunedBackbone', architecture=architecture.to_dict())


def test_a_pruned_network_trains_under_its_own_name(tiny_config):
    config = tiny_config(epochs=1)
    config.model.backbone = pruned_backbone()
    train(config)
    found = PrunedArchitecture.load(last_checkpoint(config.work_dir))
    assert found.channels == {'layer1.0.conv1': (1, 3)} and found.name == 'tiny-a'


def test_evaluating_another_architecture_is_refused_by_tensor(tiny_config, unbroken):
    config, _, _ = unbroken
    pruned = tiny_config('pruned')
    pruned.model.backbone = pruned_backbone()
    with pytest.raises(UserError, match=r'backbone.layer1.0.conv1.weight is \(4, .*\(2, '):
        evaluate(pruned, last_checkpoint(config.work_dir))
    deeper = tiny_config('deeper')
    deeper.model.backbone.depth = 14
    with pytest.raises(UserError, match='has no backbone.layer1.1.conv1.weight'):
        evaluate(deeper, last_checkpoint(config.work_dir))


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize('resume', [False, True])
def test_a_bad_source_is_refused_before_anything_is_written(tiny_config, tmp_path, resume):
    (tmp_path / 'junk.pth').write_text('no checkpoint')
    for name, message in (('gone.pth', 'does not exist'), ('junk.pth', 'is no checkpoint')):
        config = tiny_config('never', load_from=str(tmp_path / name), resume=resume)
        with pytest.raises(UserError, match=f'{name} {message}'):
            train(config)
        assert not Path(config.work_dir).exists()


def test_a_damaged_checkpoint_is_not_resumed_from(tiny_config, unbroken):
    config, _, _ = unbroken
    path = last_checkpoint(config.work_dir)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match='epoch_3.pth is no checkpoint, or a damaged one'):
        train(tiny_config('unbroken', resume=True, load_from=str(path)))


def test_evaluation_needs_a_checkpoint_and_data(tiny_config, tmp_path):
    with pytest.raises(UserError, match='gone.pth does not exist'):
        evaluate(tiny_config(), tmp_path / 'gone.pth')
    save_checkpoint({'state_dict': {}}, tmp_path / 'empty.pth')
    with pytest.raises(UserError, match='has no backbone.conv1.weight'):
        evaluate(tiny_config(), tmp_path / 'empty.pth')
    with pytest.raises(UserError, match='no test_dataloader and test_evaluator'):
        evaluate(tiny_config(test_dataloader=None), tmp_path / 'empty.pth')


def test_a_folder_without_checkpoint_has_no_last_one(tmp_path):
    assert last_checkpoint(tmp_path) is None
    assert last_checkpoint(tmp_path / 'gone') is None
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'deleted.pth'))
    assert last_checkpoint(tmp_path) is None


@pytest.mark.parametrize(
    'changes',
    [dict(sync_bn='torch'), {'model.backbone.norm_cfg': dict(type='SyncBN', requires_grad=True)}],
    ids=['of all layers', 'of a backbone'],
)
def test_synchronised_statistics_without_a_gpu_are_refused(tiny_config, monkeypatch, changes):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    config = tiny_config()
    config.merge_from_dict(changes)
    prepare(config)  # in a single process it means nothing
    config.launcher = 'pytorch'
    with pytest.raises(UserError, match='SyncBN is computed on GPUs only'):
        prepare(config)
    assert not torch.distributed.is_initialized()


@pytest.mark.parametrize(
    'launcher, said',
    [
        ('pytorch', 'RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT are not set: .* torchrun'),
        ('slurm', 'SLURM_PROCID, SLURM_NTASKS, SLURM_NODELIST are not set: .* srun'),
        ('mpi', 'OMPI_COMM_WORLD_LOCAL_RANK, .* are not set: .* mpirun'),
        ('ssh', "'launcher' is 'ssh', must be one of none, pytorch, slurm, mpi"),
    ],
)
def test_a_launcher_that_did_not_start_this_process_is_refused(tiny_config, launcher, said):
    with pytest.raises(UserError, match=said):
        train(tiny_config(launcher=launcher))


def test_a_last_batch_of_one_image_is_told(tiny_config):
    config = tiny_config(epochs=1)
    config.train_dataloader.batch_size = 23  # of 24; images of 8 pixels end as one value a channel
    config.model.backbone = dict(type='mmdet.ResNet', depth=18, base_channels=4, norm_eval=False)
    with pytest.raises(UserError, match='BatchNorm cannot .* set train_dataloader.drop_last=True'):
        train(config)
    config.train_dataloader.drop_last = True
    config.work_dir += '-whole-batches'
    assert train(config)
