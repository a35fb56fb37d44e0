"""The device that is computed on, and waiting for it."""

import pytest
import torch

from rethink_det.training.device import current_device, wait_for


def test_networks_move_to_the_current_device():
    device = current_device()
    assert device.type == ('cuda' if torch.cuda.is_available() else 'cpu')
    assert torch.zeros(1, device=device).device == torch.nn.Linear(1, 1).to(device).weight.device


def test_waiting_for_a_cpu_does_nothing():
    assert wait_for(torch.device('cpu')) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_after_waiting_nothing_is_left_to_do():
    device = current_device()
    big = torch.randn(4096, 4096, device=device)
    for _ in range(20):
        big = big @ big.T / 4096
    done = torch.cuda.Event()
    done.record()
    wait_for(device)
    assert done.query()
