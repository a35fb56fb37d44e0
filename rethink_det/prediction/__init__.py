"""What a trained network says of pictures, be it a checkpoint or an exported file."""

from rethink_det.prediction.evaluating import evaluate_exported
from rethink_det.prediction.loading import load_detector, load_network

__all__ = ['evaluate_exported', 'load_detector', 'load_network']
