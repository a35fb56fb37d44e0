"""The median of calls in turns, and a device in words."""

import torch

from rethink_det.detection.measuring.latency import LEAST, MOST, median_latency

CPU = torch.device('cpu')


def test_the_median_is_of_calls_in_turns():
    made = []
    calls = [lambda i=i: made.append(i) for i in range(3)]
    assert median_latency(calls, CPU, seconds=0) >= 0
    assert made == [0, 1, 2, 0, 1][:LEAST]
    made.clear()
    median_latency(calls, CPU, seconds=60)
    assert len(made) == MOST
