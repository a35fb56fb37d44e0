"""Budgets, and what happens while a model trains."""

from rethink_det.training.budget import Budget, constant
from rethink_det.training.hooks import (
    EpochSeedHook,
    FastBackboneHook,
    GradualMagnitudeHook,
    GroupSparsityHook,
    InitialWeightsHook,
    MaskHook,
    PlainCheckpointHook,
    ProgressHook,
    ProvenanceHook,
    SoftFilterHook,
    SparsityHook,
    StructureScaleHook,
    TransferHook,
)
from rethink_det.training.loop import FastEpochLoop
from rethink_det.training.whole_files import WholeFilesBackend

__all__ = [
    'Budget',
    'EpochSeedHook',
    'FastBackboneHook',
    'FastEpochLoop',
    'GradualMagnitudeHook',
    'GroupSparsityHook',
    'InitialWeightsHook',
    'MaskHook',
    'PlainCheckpointHook',
    'ProgressHook',
    'ProvenanceHook',
    'SoftFilterHook',
    'SparsityHook',
    'StructureScaleHook',
    'TransferHook',
    'WholeFilesBackend',
    'constant',
]
