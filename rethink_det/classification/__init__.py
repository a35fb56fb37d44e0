"""Image classifiers: backbones, heads and metrics."""

from rethink_det.classification.backbones import (
    VGG,
    CifarResNet,
    DenseNet,
    PreActResNet,
    PreResNet,
    TimmBackbone,
    TorchvisionBackbone,
)
from rethink_det.classification.classifier import Classifier
from rethink_det.classification.conv_head import ConvHead
from rethink_det.classification.head import LinearHead, MLPHead, NormHead
from rethink_det.classification.metric import Accuracy
from rethink_det.classification.preprocessor import ImagePreprocessor

__all__ = [
    'VGG',
    'Accuracy',
    'CifarResNet',
    'Classifier',
    'ConvHead',
    'DenseNet',
    'ImagePreprocessor',
    'LinearHead',
    'MLPHead',
    'NormHead',
    'PreActResNet',
    'PreResNet',
    'TimmBackbone',
    'TorchvisionBackbone',
]
