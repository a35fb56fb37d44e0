"""How long classifiers take that are pruned from one."""

import torch

from rethink_det.architecture import PrunedArchitecture
from rethink_det.latency import LatencyTable, NetworkLatency, Operations, operations_of
from rethink_det.latency.network_latency import Run
from rethink_det.training.device import current_device
from rethink_det.training.generators import seeded


def classifier_latency(
    architecture: PrunedArchitecture,
    device: torch.device | None = None,
    table: LatencyTable | None = None,
) -> NetworkLatency:
    """Latencies of backbone and head, batch 1, at the size of the architecture's images.

    Args:
        architecture: What is pruned; its latency is measured, if it is not known yet.
        device: Default: a GPU if there is one.
        table: Of the device; default: that in the user's cache folder.
    """
    table = table or LatencyTable(device or current_device())

    def run(one: PrunedArchitecture) -> Run:
        with seeded(0):
            network = one.build_network().eval().to(table.device)
            images = torch.rand(1, *one.input_shape).to(table.device)
        return torch.no_grad()(lambda: network(images))

    return NetworkLatency(architecture, _operations, run, table)


def _operations(architecture: PrunedArchitecture) -> Operations:
    network = architecture.skeleton().eval()
    images = torch.zeros(1, *architecture.input_shape, device='meta')
    return operations_of(lambda: network(images))
