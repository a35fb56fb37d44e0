"""What a trained classifier takes pictures for: to look at, to store."""

from rethink_det.classification.prediction.classified import Classified
from rethink_det.classification.prediction.classifier_input import ClassifierInput
from rethink_det.classification.prediction.loaded import (
    LoadedClassifier,
    PictureClassifier,
    load_classifier,
)

__all__ = [
    'Classified',
    'ClassifierInput',
    'LoadedClassifier',
    'PictureClassifier',
    'load_classifier',
]
