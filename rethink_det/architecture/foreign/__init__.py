"""Checkpoints that other tools wrote, as this package's architecture and weights."""

from rethink_det.architecture.foreign.convert import Converted, convert
from rethink_det.architecture.foreign.parents import load_base

__all__ = ['Converted', 'convert', 'load_base']
