"""The device that is computed on, and waiting for it."""

import pytest
import torch

from rethink_det import UserError
from rethink_det.training.device import current_device, device_named, name_of, wait_for


def test_networks_move_to_the_current_device():
    device = current_device()
    assert device.type == ('cuda' if torch.cuda.is_available() else 'cpu')
    assert torch.zeros(1, device=device).device == torch.nn.Linear(1, 1).to(device).weight.device


def test_waiting_for_a_cpu_does_nothing():
    assert wait_for(torch.device('cpu')) is None


def test_a_device_is_named_as_torch_names_it():
    assert device_named('cpu') == torch.device('cpu') and device_named(None) is None


@pytest.mark.parametrize('name', ['gpu', 'cuda:99', 'meta', 'cuda:x'])
def test_a_device_that_is_not_here_is_refused(name):
    with pytest.raises(UserError, match='device: .*(say cpu|or say cpu)'):
        device_named(name)


@pytest.mark.gpu
def test_after_waiting_nothing_is_left_to_do():
    device = current_device()
    big = torch.randn(4096, 4096, device=device)
    for _ in range(20):
        big = big @ big.T / 4096
    done = torch.cuda.Event()
    done.record()
    wait_for(device)
    assert done.query()


def test_a_cpu_is_named_with_its_threads():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert name_of(torch.device('cpu')).endswith(', 1 thread')
        torch.set_num_threads(2)
        assert name_of(torch.device('cpu')).endswith(', 2 threads')
    finally:
        torch.set_num_threads(before)
