"""A run starts from all that load_from has to give, or says what it does not."""

import argparse
import logging

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from safetensors.torch import save_file

from rethink_det import UserError
from rethink_det.architecture.checkpoint import Checkpoint, digest
from rethink_det.training.launch import evaluate, train
from rethink_det.training.resumable import last_checkpoint


@pytest.fixture
def start(tiny_config):
    """The weights of a run of one epoch, as they were read from its checkpoint."""
    config = tiny_config('first', epochs=1)
    train(config)
    return Checkpoint.read(last_checkpoint(config.work_dir))


@pytest.fixture
def later(tiny_config):
    """A run that hardly changes what it starts from; gives its weights."""

    def later(name, source, **keys):
        config = tiny_config(name, epochs=1, lr=1e-12)
        config.merge_from_dict({'load_from': str(source), **keys})
        train(config)
        return Checkpoint.read(last_checkpoint(config.work_dir)).state_dict

    return later


def parameters(state):
    return {n: t for n, t in state.items() if n.endswith(('weight', 'bias'))}


def near(one, other):
    return all(torch.allclose(t, other[n], atol=1e-6) for n, t in parameters(one).items())


FORMS = {
    'ddp': lambda state: {'state_dict': {f'module.{n}': t for n, t in state.items()}},
    'model': lambda state: {'model': state, 'epoch': 3},
    'lightning': lambda state: {'state_dict': {f'model.{n}': t for n, t in state.items()}},
    'compiled': lambda state: {f'_orig_mod.{n}': t for n, t in state.items()},
    'mmdet': lambda state: {
        'meta': {'epoch': 1, 'args': argparse.Namespace(lr=0.1)},
        'state_dict': state,
        'message_hub': {'log_scalars': {'loss': HistoryBuffer([1.0], [1])}, 'best': np.float64(1)},
    },
}


@pytest.mark.parametrize('form', FORMS)
def test_every_form_of_a_file_is_the_same_start(start, later, tiny_config, tmp_path, form):
    torch.save(FORMS[form](dict(start.state_dict)), tmp_path / 'other.pth')
    assert near(start.state_dict, later('again', tmp_path / 'other.pth'))
    config = tiny_config('tested')
    assert evaluate(config, tmp_path / 'other.pth') == evaluate(config, start.path)


def test_a_start_from_safetensors_and_from_averaged_weights(start, later, tmp_path):
    state = {n: t.contiguous() for n, t in start.state_dict.items()}
    save_file(state, tmp_path / 'other.safetensors')
    assert near(state, later('again', tmp_path / 'other.safetensors'))
    zeros = {n: torch.zeros_like(t) for n, t in state.items()}
    torch.save({'state_dict': zeros, 'ema_state_dict': state}, tmp_path / 'ema.pth')
    assert near(state, later('averaged', tmp_path / 'ema.pth', load_ema=True))
    with pytest.raises(UserError, match='has no averaged weights'):
        later('none', tmp_path / 'other.safetensors', load_ema=True)


@pytest.fixture
def odd_head(start, tmp_path):
    """A file of the same network with another number of classes."""
    state = dict(start.state_dict)
    odd = [name for name in state if name.startswith('head.')]
    assert odd
    state |= {name: torch.zeros(7, *state[name].shape[1:]) for name in odd}
    torch.save({'state_dict': state}, tmp_path / 'coco.pth')
    return tmp_path / 'coco.pth', odd


def test_a_part_is_refused_by_name_and_taken_when_asked_for(start, later, odd_head, caplog):
    file, odd = odd_head
    with pytest.raises(UserError) as refused:
        later('refused', file)
    message = str(refused.value)
    assert 'coco.pth fits a part of the model' in message and odd[0] in message
    assert '--load-partial' in message and 'load_partial=True' in message
    logging.getLogger('mmengine').propagate = True
    found = later('taken', file, load_partial=True)
    rest = {name: t for name, t in start.state_dict.items() if name not in odd}
    assert near(rest, found) and not near(start.state_dict, found)


def test_weights_of_another_network_are_no_start_even_in_part(later, tmp_path):
    torch.save({'state_dict': {'conv9.weight': torch.zeros(3)}}, tmp_path / 'other.pth')
    for keys in ({}, {'load_partial': True}):
        with pytest.raises(UserError, match=r'other.pth fits no tensor of the model.*conv9.weight'):
            later('refused', tmp_path / 'other.pth', **keys)


def test_what_the_model_lacks_is_left_out_and_said(start, later, tmp_path):
    torch.save({'state_dict': {**start.state_dict, 'extra.w': torch.ones(1)}}, tmp_path / 'a.pth')
    assert near(start.state_dict, later('more', tmp_path / 'a.pth'))
    log = next((tmp_path).rglob('more/**/*.log')).read_text()
    assert 'no tensors of the model are extra.w' in log


def test_a_run_of_plain_mmengine_is_resumed_without_its_code(tiny_config):
    config = tiny_config('plain', epochs=2)
    config.default_hooks = {**(config.get('default_hooks') or {}), 'plain_checkpoint': None}
    train(config)
    path = last_checkpoint(config.work_dir)
    with pytest.raises(Exception, match='HistoryBuffer'):
        torch.load(path, weights_only=True)
    before = digest(Checkpoint.read(path).state_dict)
    longer = tiny_config('plain', epochs=3, resume=True)
    train(longer)
    assert last_checkpoint(longer.work_dir).name == 'epoch_3.pth'
    assert digest(Checkpoint.read(last_checkpoint(longer.work_dir)).state_dict) != before


def test_a_run_is_resumed_from_its_own_weights(start, tiny_config):
    config = tiny_config('first', epochs=2, resume=True)
    config.load_ema = True
    with pytest.raises(UserError, match='load_ema .--ema. is for load_from'):
        train(config)
