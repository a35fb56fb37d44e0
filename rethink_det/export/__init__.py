"""Trained networks for other runtimes and for plain timm code, compared before they are written."""

from rethink_det.export.file import OnnxFile, export_onnx
from rethink_det.export.networks import read_exportable
from rethink_det.export.onnx import Exportable, OnnxNetwork, to_onnx
from rethink_det.export.timm_factory import TimmFile, export_timm

__all__ = [
    'Exportable',
    'OnnxFile',
    'OnnxNetwork',
    'TimmFile',
    'export_onnx',
    'export_timm',
    'read_exportable',
    'to_onnx',
]
