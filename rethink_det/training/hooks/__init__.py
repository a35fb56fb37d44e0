"""Hooks that act during training, one a file."""

from rethink_det.training.hooks.epoch_seed import EpochSeedHook
from rethink_det.training.hooks.plain_checkpoint import PlainCheckpointHook
from rethink_det.training.hooks.progress import ProgressHook
from rethink_det.training.hooks.provenance import ProvenanceHook
from rethink_det.training.hooks.transfer import TransferHook

__all__ = ['EpochSeedHook', 'PlainCheckpointHook', 'ProgressHook', 'ProvenanceHook', 'TransferHook']
