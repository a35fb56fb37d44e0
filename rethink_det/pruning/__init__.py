"""How an architecture is found: one file per published method."""

from rethink_det.pruning.base import Pruner, PruneResult, build_pruner, prune
from rethink_det.pruning.l1_norm import L1NormPruner
from rethink_det.pruning.random_control import RandomPruner

__all__ = ['L1NormPruner', 'PruneResult', 'Pruner', 'RandomPruner', 'build_pruner', 'prune']
