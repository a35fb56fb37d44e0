"""Weights are transferred as a whole and proven, or refused."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from rethink_det import UserError
from rethink_det.architecture.checkpoint import digest, load_checkpoint, save_checkpoint
from rethink_det.registry import HOOKS
from rethink_det.training import TransferHook
from rethink_det.training.launch import train
from rethink_det.training.resumable import last_checkpoint
from tests.checkpoints import of_arm


def transfer(checkpoint=None, arm='fine-tune', part=None) -> dict:
    path = checkpoint and str(checkpoint)
    return dict(type='rethink_det.TransferHook', arm=arm, checkpoint=path, part=part)


def last(config) -> dict:
    return load_checkpoint(last_checkpoint(config.work_dir))


def parameters(state: dict) -> dict:
    """Without the running statistics, which change in training at any learning rate."""
    return {n: t for n, t in state.items() if 'running' not in n and 'num_batches' not in n}


@pytest.fixture
def source(tiny_config, tmp_path):
    """State dict of another network of the same shape, and its file."""
    config = tiny_config('source', epochs=1, seed=77)
    train(config)
    state = last(config)['state_dict']
    path = tmp_path / 'source.pth'
    save_checkpoint({'state_dict': state, 'meta': {}}, path)
    return state, path


def test_the_whole_model_is_there_before_the_first_step(tiny_config, source):
    state, path = source
    config = tiny_config(epochs=1, lr=0.0, hooks=[transfer(path)])
    train(config)
    found = last(config)
    assert digest(parameters(found['state_dict'])) == digest(parameters(state))
    provenance = found['meta']['provenance']
    assert provenance['arm'] == 'fine-tune' and provenance['seed'] == 1
    assert provenance['parent'] == path.name
    assert provenance['parent_digest'] == digest(state)
    assert provenance['tensors'] == len(state)


def test_the_backbone_alone_is_transferred(tiny_config, source):
    state, path = source
    plain = tiny_config('plain', epochs=1, lr=0.0)
    config = tiny_config(epochs=1, lr=0.0, hooks=[transfer(path, 'prune-c', 'backbone')])
    train(plain)
    train(config)
    expected = parameters({**last(plain)['state_dict'], **state})
    for name, tensor in parameters(last(config)['state_dict']).items():
        other = expected[name] if name.startswith('backbone.') else last(plain)['state_dict'][name]
        assert torch.equal(tensor, other), name
    backbone = {n.removeprefix('backbone.'): t for n, t in state.items() if 'backbone' in n}
    assert last(config)['meta']['provenance']['parent_digest'] == digest(backbone)


def test_the_arm_random_starts_from_the_initial_weights(tiny_config):
    plain = tiny_config('plain', epochs=1)
    config = tiny_config(epochs=1, hooks=[transfer(arm='random')])
    train(plain)
    train(config)
    assert digest(last(plain)['state_dict']) == digest(last(config)['state_dict'])
    provenance = last(config)['meta']['provenance']
    assert provenance['arm'] == 'random' and provenance['parent'] is None


def test_on_resume_the_weights_are_the_runs_own(tiny_config, source):
    _, path = source
    unbroken = tiny_config('unbroken', epochs=2, hooks=[transfer(path)])
    train(unbroken)
    kill = dict(type='rethink_det.KillHook', iteration=4)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config('broken', epochs=2, hooks=[transfer(path), kill]))
    half = last(tiny_config('broken'))
    resumed = tiny_config('broken', epochs=2, hooks=[transfer(path)], resume=True)
    train(resumed)
    assert digest(last(resumed)['state_dict']) == digest(last(unbroken)['state_dict'])
    assert digest(half['state_dict']) != digest(last(resumed)['state_dict'])
    assert last(resumed)['meta']['provenance'] == last(unbroken)['meta']['provenance']


def test_weights_of_another_arm_are_refused_in_any_run(tiny_config, source):
    of_arm(source[1], 'scratch-e')
    message = 'source.pth: its weights are of arm scratch-e, but arm fine-tune takes those that'
    with pytest.raises(UserError, match=message):
        train(tiny_config(hooks=[transfer(source[1])]))


def test_what_is_not_known_of_the_weights_is_said_once(log, source):
    text = log(transfer(source[1]))
    assert text.count('a file that says nothing of its arm, so it is not known') == 1
    of_arm(source[1], 'pruned')
    assert 'not known' not in log(transfer(source[1]), work_dir='known')


def test_who_asks_for_no_fine_tuning_is_believed_of_a_file_that_says_nothing(
    tiny_config, source, log
):
    text = log({**transfer(source[1], 'prune-c', 'backbone'), 'untuned': True})
    assert 'so it is not known' in text
    assert 'source.pth is pruned and not fine-tuned' in text
    provenance = last(tiny_config())['meta']['provenance']
    assert (provenance['arm'], provenance['parent_arm']) == ('prune-c', 'pruned')


def change(state: dict, name: str, tensor: torch.Tensor | None) -> dict:
    return {n: t for n, t in {**state, name: tensor}.items() if t is not None}


@pytest.mark.parametrize('part', [None, 'backbone'])
@pytest.mark.parametrize(
    'name, tensor, message',
    [
        ('backbone.layer2.0.conv1.weight', None, 'has no .*layer2.0.conv1.weight'),
        ('backbone.bn1.running_var', None, 'has no .*bn1.running_var'),
        ('backbone.conv1.weight', torch.zeros(4, 3, 1, 1), r'conv1.weight is \(4, 3, 1, 1\)'),
        ('backbone.layer9.weight', torch.zeros(1), 'layer9.weight besides'),
    ],
)
def test_a_partial_load_is_refused_by_tensor(
    tiny_config, tmp_path, source, part, name, tensor, message
):
    save_checkpoint({'state_dict': change(source[0], name, tensor)}, tmp_path / 'other.pth')
    hook = transfer(tmp_path / 'other.pth', 'fine-tune', part)
    config = tiny_config(epochs=1, hooks=[hook])
    with pytest.raises(UserError, match=f'other.pth into .*{message}'):
        train(config)
    assert last_checkpoint(config.work_dir) is None


def test_a_missing_head_matters_to_the_whole_model_only(tiny_config, tmp_path, source):
    backbone = {n: t for n, t in source[0].items() if not n.startswith('head.')}
    save_checkpoint({'state_dict': backbone}, tmp_path / 'other.pth')
    with pytest.raises(UserError, match='into the model: .* has no head.fc.weight'):
        train(tiny_config('a', epochs=1, hooks=[transfer(tmp_path / 'other.pth')]))
    train(tiny_config('b', epochs=1, hooks=[transfer(tmp_path / 'other.pth', part='backbone')]))


def test_a_checkpoint_and_an_arm_that_do_not_go_together_are_refused(tiny_config, source):
    with pytest.raises(UserError, match="arm 'random' takes no checkpoint"):
        TransferHook('random', source[1])
    for arm in ('fine-tune', 'prune-c', 'scratch-b'):
        with pytest.raises(UserError, match=f"arm '{arm}' needs a checkpoint"):
            TransferHook(arm)
    with pytest.raises(UserError, match="'random' takes no checkpoint"):
        train(tiny_config(hooks=[transfer(source[1], 'random')]))


def test_a_missing_or_bad_source_is_refused(tiny_config, tmp_path):
    with pytest.raises(UserError, match='gone.pth does not exist'):
        train(tiny_config('a', hooks=[transfer(tmp_path / 'gone.pth')]))
    (tmp_path / 'junk.pth').write_text('junk')
    with pytest.raises(UserError, match='junk.pth is no checkpoint'):
        train(tiny_config('b', hooks=[transfer(tmp_path / 'junk.pth')]))


@pytest.fixture
def log(tiny_config):
    """Trains one epoch and returns what was logged."""

    def run(*hooks, **changes) -> str:
        config = tiny_config(epochs=1, hooks=hooks, log_level='INFO', **changes)
        train(config)
        return next(Path(config.work_dir).rglob('*.log')).read_text()

    return run


def test_a_checkpoint_says_how_its_images_were_normalised(tiny_config):
    config = tiny_config(epochs=1)
    train(config)
    expected = dict(channels='rgb', mean=[125.0] * 3, std=[60.0] * 3)
    assert last(config)['meta']['input_convention'] == expected


@pytest.mark.parametrize(
    'change, expected',
    [
        ({}, None),
        (dict(channels='bgr'), 'trained on images in BGR, mean 125'),
        (dict(mean=[0.0] * 3), 'mean 0, 0, 0, std 60, 60, 60; the model gives them RGB, mean 125'),
        (dict(std=[1.0] * 3), 'std 1, 1, 1; the model gives them RGB, mean 125, 125, 125, std 60'),
        (None, 'does not say how its images were normalised'),
    ],
)
def test_another_normalisation_is_warned_about(log, tmp_path, source, change, expected):
    convention = dict(channels='rgb', mean=[125.0] * 3, std=[60.0] * 3)
    meta = {} if change is None else {'input_convention': convention | change}
    meta['provenance'] = {'arm': 'pruned'}
    save_checkpoint({'state_dict': source[0], 'meta': meta}, tmp_path / 'other.pth')
    lines = log(transfer(tmp_path / 'other.pth')).splitlines()
    warnings = [line for line in lines if 'WARNING' in line and 'other.pth' in line]
    assert len(warnings) == (expected is not None)
    assert expected is None or expected in warnings[0]


def test_a_normalisation_without_sense_is_refused(tiny_config, tmp_path, source):
    meta = {'input_convention': 'rgb'}
    save_checkpoint({'state_dict': source[0], 'meta': meta}, tmp_path / 'other.pth')
    with pytest.raises(UserError, match="other.pth: meta.'input_convention'. is 'rgb'"):
        train(tiny_config(hooks=[transfer(tmp_path / 'other.pth')]))


def test_the_log_names_what_was_loaded_and_what_was_not(log, tmp_path, source):
    state = {n: t for n, t in source[0].items() if 'num_batches' not in n}
    backbone = {n.removeprefix('backbone.'): t for n, t in state.items() if 'backbone' in n}
    save_checkpoint({'state_dict': state, 'meta': {}}, tmp_path / 'old.pth')
    text = log(transfer(tmp_path / 'old.pth', 'prune-c', 'backbone'))
    assert f'all {len(backbone)} tensors of backbone loaded from {tmp_path / "old.pth"}' in text
    assert f'digest {digest(backbone)}' in text
    assert 'Left out: head.fc.weight, head.fc.bias.' in text
    assert f'kept as they were: {len(source[0]) - len(state)} x num_batches_tracked.' in text


class Halves(torch.nn.Module):
    """A network whose second layer is computed by its head."""

    def __init__(self):
        super().__init__()
        self.backbone = torch.nn.ModuleDict({'layer1': torch.nn.Linear(2, 3)})
        self.head = torch.nn.ModuleDict({'layer2': torch.nn.Linear(3, 4)})


def halves_hook(tmp_path, state) -> TransferHook:
    save_checkpoint({'state_dict': state, 'meta': {}}, tmp_path / 'halves.pth')
    return TransferHook('prune-c', tmp_path / 'halves.pth', rest='head')


@pytest.fixture
def halves():
    model = Halves()
    own = {**model.backbone.state_dict(), **model.head.state_dict()}
    state = {f'backbone.{n}': torch.rand_like(t) for n, t in own.items()}
    return SimpleNamespace(model=model, iter=0, logger=logging.getLogger('halves')), state


def test_the_rest_of_a_part_is_loaded_elsewhere(tmp_path, halves):
    runner, state = halves
    halves_hook(tmp_path, state).before_train(runner)
    loaded = {**runner.model.backbone.state_dict(), **runner.model.head.state_dict()}
    for name, tensor in loaded.items():
        assert torch.equal(tensor, state[f'backbone.{name}']), name


@pytest.mark.parametrize(
    'name, tensor, message',
    [
        ('backbone.layer1.bias', None, 'into backbone: .* has no layer1.bias'),
        ('backbone.layer2.bias', None, 'into head: .* has no layer2.bias'),
        ('backbone.layer2.weight', torch.zeros(4, 2), r'into head: .*layer2.weight is \(4, 2\)'),
        ('backbone.layer3.weight', torch.zeros(1), 'into backbone: .*layer3.weight besides'),
    ],
)
def test_a_partial_load_of_two_places_is_refused(tmp_path, halves, name, tensor, message):
    runner, state = halves
    with pytest.raises(UserError, match=message):
        halves_hook(tmp_path, change(state, name, tensor)).before_train(runner)


def test_hooks_are_known_by_their_scoped_names():
    for name in ('TransferHook', 'EpochSeedHook', 'ProvenanceHook', 'PlainCheckpointHook'):
        assert HOOKS.get(f'rethink_det.{name}').__name__ == name
