"""Hooks that act during training, one a file."""

from rethink_det.training.hooks.epoch_seed import EpochSeedHook
from rethink_det.training.hooks.fast_backbone import FastBackboneHook
from rethink_det.training.hooks.finite import FiniteHook
from rethink_det.training.hooks.gradual_magnitude import GradualMagnitudeHook
from rethink_det.training.hooks.group_sparsity import GroupSparsityHook
from rethink_det.training.hooks.image_replicates import ImageReplicatesHook
from rethink_det.training.hooks.initial_weights import InitialWeightsHook
from rethink_det.training.hooks.lazy_losses import LazyLossesHook
from rethink_det.training.hooks.mask import MaskHook
from rethink_det.training.hooks.plain_checkpoint import PlainCheckpointHook
from rethink_det.training.hooks.progress import ProgressHook
from rethink_det.training.hooks.provenance import ProvenanceHook
from rethink_det.training.hooks.soft_filter import SoftFilterHook
from rethink_det.training.hooks.sparsity import SparsityHook
from rethink_det.training.hooks.structure_scale import StructureScaleHook
from rethink_det.training.hooks.transfer import TransferHook

__all__ = [
    'EpochSeedHook',
    'FastBackboneHook',
    'FiniteHook',
    'GradualMagnitudeHook',
    'GroupSparsityHook',
    'ImageReplicatesHook',
    'InitialWeightsHook',
    'LazyLossesHook',
    'MaskHook',
    'PlainCheckpointHook',
    'ProgressHook',
    'ProvenanceHook',
    'SoftFilterHook',
    'SparsityHook',
    'StructureScaleHook',
    'TransferHook',
]
