"""Trained networks for other runtimes, plain timm and plain mmdet, compared, then written."""

from rethink_det.export.file import OnnxFile, export_onnx
from rethink_det.export.networks import read_exportable
from rethink_det.export.onnx import Exportable, OnnxNetwork, to_onnx
from rethink_det.export.plain_detector import PlainDetector, export_plain
from rethink_det.export.programs import ProgramFile, export_program
from rethink_det.export.timm_factory import TimmFile, export_timm

__all__ = [
    'Exportable',
    'OnnxFile',
    'OnnxNetwork',
    'PlainDetector',
    'ProgramFile',
    'TimmFile',
    'export_onnx',
    'export_plain',
    'export_program',
    'export_timm',
    'read_exportable',
    'to_onnx',
]
