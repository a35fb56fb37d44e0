"""Trained networks for other runtimes, compared with PyTorch before anyone gets the file."""

from rethink_det.export.file import OnnxFile, export_onnx
from rethink_det.export.networks import read_exportable
from rethink_det.export.onnx import Exportable, OnnxNetwork, to_onnx

__all__ = ['Exportable', 'OnnxFile', 'OnnxNetwork', 'export_onnx', 'read_exportable', 'to_onnx']
