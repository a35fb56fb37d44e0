"""How long a network takes for an image, from a table of the operations that it consists of."""

from rethink_det.latency.network_latency import NetworkLatency
from rethink_det.latency.operations import Operation, Operations, operations_of
from rethink_det.latency.table import LatencyTable

__all__ = ['LatencyTable', 'NetworkLatency', 'Operation', 'Operations', 'operations_of']
