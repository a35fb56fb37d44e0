"""Backbones of image classifiers, one architecture a file."""

from rethink_det.classification.backbones.cifar_resnet import CifarResNet
from rethink_det.classification.backbones.densenet import DenseNet
from rethink_det.classification.backbones.preact_resnet import PreActResNet
from rethink_det.classification.backbones.preresnet import PreResNet
from rethink_det.classification.backbones.timm_backbone import TimmBackbone
from rethink_det.classification.backbones.torchvision_backbone import TorchvisionBackbone
from rethink_det.classification.backbones.vgg import VGG

__all__ = [
    'VGG',
    'CifarResNet',
    'DenseNet',
    'PreActResNet',
    'PreResNet',
    'TimmBackbone',
    'TorchvisionBackbone',
]
