"""A machine whose times are known: operations take what their tensors weigh."""

from functools import partial

import torch

from rethink_det.latency import LatencyTable, NetworkLatency, operations_of
from rethink_det.latency.timing import in_turns, relative

CPU = torch.device('cpu')


def seconds_of(operation):
    return 1e-6 + 1e-9 * operation.memory


def fake_table(folder, asked=None, slower=1.0):
    """A table of that machine; what is measured is added to ``asked``."""

    def timer(operations, device):
        if asked is not None:
            asked.extend(operations[1:])  # the first is the yardstick
        return [slower * seconds_of(one) for one in operations]

    return LatencyTable(CPU, folder, timer)


class Clock:
    """Seconds that pass when a network looks at an image."""

    now = 0.0

    def __call__(self):
        return self.now

    def run(self, seconds):
        def look():
            self.now += seconds

        return look


def operations(architecture):
    network = architecture.skeleton().eval()
    images = torch.zeros(1, *architecture.input_shape, device='meta')
    return operations_of(lambda: network(images))


def true_seconds(architecture, times=1.5, more=2e-4):
    """What a network takes on that machine, which is not just the sum of its operations."""
    found = operations(architecture)
    return more + times * sum(number * seconds_of(one) for one, number in found.items())


def fake_latency(whole, folder, monkeypatch, outside=0.0):
    """Latencies on that machine."""
    clock = Clock()

    for timing in (in_turns, relative):
        by_clock = partial(timing, seconds=0, clock=clock)
        monkeypatch.setattr(f'rethink_det.latency.network_latency.{timing.__name__}', by_clock)
    return NetworkLatency(
        whole, operations, lambda one: clock.run(true_seconds(one)), fake_table(folder), outside
    )
