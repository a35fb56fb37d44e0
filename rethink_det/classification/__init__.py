"""Image classifiers: backbones, heads and metrics."""

from rethink_det.classification.cifar_resnet import CifarResNet
from rethink_det.classification.classifier import Classifier
from rethink_det.classification.head import LinearHead
from rethink_det.classification.metric import Accuracy
from rethink_det.classification.preprocessor import ImagePreprocessor

__all__ = ['Accuracy', 'CifarResNet', 'Classifier', 'ImagePreprocessor', 'LinearHead']
