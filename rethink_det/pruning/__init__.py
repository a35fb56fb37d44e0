"""How an architecture is found: one file per published method."""

from rethink_det.pruning.group_norm import GroupNormPruner
from rethink_det.pruning.importance import ImportancePruner
from rethink_det.pruning.l1_norm import L1NormPruner
from rethink_det.pruning.layerwise import LayerwisePruner
from rethink_det.pruning.magnitude import MagnitudePruner
from rethink_det.pruning.predefined import PredefinedPruner
from rethink_det.pruning.pruner import Pruner, PruneResult, build_pruner, prune, prune_state
from rethink_det.pruning.random_control import RandomPruner
from rethink_det.pruning.regression import RegressionPruner
from rethink_det.pruning.sequential import SequentialPruner
from rethink_det.pruning.slimming import NetworkSlimmingPruner
from rethink_det.pruning.soft_filter import SoftFilterPruner
from rethink_det.pruning.sparse_structure import SparseStructurePruner
from rethink_det.pruning.thinet import ThiNetPruner

__all__ = [
    'GroupNormPruner',
    'ImportancePruner',
    'L1NormPruner',
    'LayerwisePruner',
    'MagnitudePruner',
    'NetworkSlimmingPruner',
    'PredefinedPruner',
    'PruneResult',
    'Pruner',
    'RandomPruner',
    'RegressionPruner',
    'SequentialPruner',
    'SoftFilterPruner',
    'SparseStructurePruner',
    'ThiNetPruner',
    'build_pruner',
    'prune',
    'prune_state',
]
