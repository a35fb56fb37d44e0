"""The median of calls in turns, and a device in words."""

import torch

from rethink_det.detection.measuring.latency import LEAST, MOST, median_latency, name_of

CPU = torch.device('cpu')


def test_the_median_is_of_calls_in_turns():
    made = []
    calls = [lambda i=i: made.append(i) for i in range(3)]
    assert median_latency(calls, CPU, seconds=0) >= 0
    assert made == [0, 1, 2, 0, 1][:LEAST]
    made.clear()
    median_latency(calls, CPU, seconds=60)
    assert len(made) == MOST


def test_a_cpu_is_named_with_its_threads():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert name_of(CPU).endswith(', 1 thread')
        torch.set_num_threads(2)
        assert name_of(CPU).endswith(', 2 threads')
    finally:
        torch.set_num_threads(before)
