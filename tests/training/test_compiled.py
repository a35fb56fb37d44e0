"""Compiled losses: other modes stay as they are, and a compiler that fails ends nothing."""

import logging

import pytest
import torch
from torch import nn

from rethink_det.training.compiled import compiled

LOGGER = logging.getLogger('test_compiled')
GPU = torch.device('cuda')  # only named: nothing is put there


class Model(nn.Module):
    def forward(self, inputs, mode='tensor'):
        return f'{mode} of {inputs}'


@pytest.fixture
def compiler(monkeypatch):
    """Stands in for torch.compile; notes its options, and fails on demand."""

    class Compiler:
        options, error, calls = None, None, 0

        def __call__(self, function, **options):
            self.options = options
            return lambda *args, **kwargs: self.run(function, *args, **kwargs)

        def run(self, function, *args, **kwargs):
            self.calls += 1
            if self.error:
                raise self.error
            return f'fast {function(*args, **kwargs)}'

    compiler = Compiler()
    monkeypatch.setattr(torch, 'compile', compiler)
    return compiler


def test_the_loss_alone_is_compiled_and_only_for_a_while(compiler):
    model = Model()
    with compiled(model, dict(mode='reduce-overhead'), GPU, LOGGER):
        assert model(1, mode='loss') == 'fast loss of 1'
        assert model(1, mode='predict') == 'predict of 1' and model(1) == 'tensor of 1'
    assert compiler.options == dict(mode='reduce-overhead')
    assert model(1, mode='loss') == 'loss of 1'


def test_a_compiler_that_fails_is_given_up_with_a_message(compiler, caplog):
    compiler.error = RuntimeError('no ptxas\nand so on')
    model = Model()
    with compiled(model, {}, GPU, LOGGER), caplog.at_level('WARNING'):
        assert [model(i, mode='loss') for i in range(3)] == [f'loss of {i}' for i in range(3)]
    assert compiler.calls == 1
    assert 'RuntimeError: no ptxas The run goes on uncompiled.' in caplog.text


def test_a_mistake_in_the_network_itself_still_shows(compiler):
    class Broken(nn.Module):
        def forward(self, inputs, mode='tensor'):
            raise ValueError('of the network')

    model = Broken()
    with pytest.raises(ValueError, match='of the network'), compiled(model, {}, GPU, LOGGER):
        model(1, mode='loss')


def test_on_a_cpu_nothing_is_compiled_and_the_log_says_so(compiler, caplog):
    model = Model()
    with caplog.at_level('WARNING'), compiled(model, {}, torch.device('cpu'), LOGGER):
        assert model(1, mode='loss') == 'loss of 1'
    assert compiler.options is None
    assert 'compile: left out, this run trains on the cpu' in caplog.text
