"""Checkpoints that other tools wrote, as this package's architecture and weights."""

from rethink_det.convert.conversion import Converted, convert_checkpoint
from rethink_det.convert.known_networks import load_base
from rethink_det.convert.library_weights import library_checkpoint

__all__ = ['Converted', 'convert_checkpoint', 'library_checkpoint', 'load_base']
