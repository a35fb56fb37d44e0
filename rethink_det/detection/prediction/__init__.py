"""What a trained detector finds on pictures: to look at, to store, to hand on."""

from rethink_det.detection.prediction.detections import Detections
from rethink_det.detection.prediction.detector_input import DetectorInput
from rethink_det.detection.prediction.graph_detector import GraphDetector
from rethink_det.detection.prediction.loaded import LoadedDetector, load_detector
from rethink_det.detection.prediction.picture_detector import PictureDetector

__all__ = [
    'Detections',
    'DetectorInput',
    'GraphDetector',
    'LoadedDetector',
    'PictureDetector',
    'load_detector',
]
