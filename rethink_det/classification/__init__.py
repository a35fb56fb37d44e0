"""Image classifiers: backbones, heads and metrics."""

from rethink_det.classification.cifar_resnet import CifarResNet
from rethink_det.classification.classifier import Classifier
from rethink_det.classification.conv_head import ConvHead
from rethink_det.classification.densenet import DenseNet
from rethink_det.classification.head import LinearHead, MLPHead
from rethink_det.classification.metric import Accuracy
from rethink_det.classification.preact_resnet import PreActResNet
from rethink_det.classification.preprocessor import ImagePreprocessor
from rethink_det.classification.preresnet import PreResNet
from rethink_det.classification.timm_backbone import TimmBackbone
from rethink_det.classification.vgg import VGG

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
    'PreActResNet',
    'PreResNet',
    'TimmBackbone',
]
