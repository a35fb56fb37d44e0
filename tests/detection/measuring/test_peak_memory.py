"""The most memory that tensors take at once."""

import torch
from torch import nn

from rethink_det.detection.measuring.peak_memory import TensorsAlive, peak_memory

CPU = torch.device('cpu')


def test_peak_memory_is_that_of_the_largest_tensors_held_at_once():
    network = nn.Sequential(nn.Linear(100, 1000), nn.ReLU(), nn.Linear(1000, 10)).eval()
    images = torch.rand(4, 100)
    with torch.no_grad():
        peak = peak_memory(network, lambda: network(images), CPU)
    weights = 4 * (100 * 1000 + 1000 + 1000 * 10 + 10)
    assert peak == weights + 2 * 4 * (4 * 1000)  # before and after ReLU; Linear's views are free


def test_freed_tensors_leave_and_views_add_nothing():
    with TensorsAlive(nn.Identity()) as alive:
        first = torch.zeros(1000)
        assert alive.now == 4000
        views = first[10:].view(-1), first.t()
        first.add_(1)
        assert alive.now == 4000
        del first, views
        assert alive.now == 0
        torch.zeros(10)
    assert alive.peak == 4000
