"""Image classifiers: backbones, heads and metrics."""

from rethink_det.classification.backbones.cifar_resnet import CifarResNet
from rethink_det.classification.backbones.densenet import DenseNet
from rethink_det.classification.backbones.preact_resnet import PreActResNet
from rethink_det.classification.backbones.preresnet import PreResNet
from rethink_det.classification.backbones.timm_backbone import TimmBackbone
from rethink_det.classification.backbones.vgg import VGG
from rethink_det.classification.classifier import Classifier
from rethink_det.classification.conv_head import ConvHead
from rethink_det.classification.head import LinearHead, MLPHead
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
    'PreActResNet',
    'PreResNet',
    'TimmBackbone',
]
