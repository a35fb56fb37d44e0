"""Budgets, and what happens while a model trains."""

from rethink_det.training.budget import Budget, constant
from rethink_det.training.hooks import (
    EpochSeedHook,
    PlainCheckpointHook,
    ProgressHook,
    ProvenanceHook,
    TransferHook,
)

__all__ = [
    'Budget',
    'EpochSeedHook',
    'PlainCheckpointHook',
    'ProgressHook',
    'ProvenanceHook',
    'TransferHook',
    'constant',
]
