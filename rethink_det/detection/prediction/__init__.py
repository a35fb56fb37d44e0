"""What a trained detector finds on pictures: to look at, to store, to hand on."""

from rethink_det.detection.prediction.detections import Detections
from rethink_det.detection.prediction.loaded import LoadedDetector, load_detector

__all__ = ['Detections', 'LoadedDetector', 'load_detector']
