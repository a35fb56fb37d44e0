"""ResNet-56 for CIFAR, its shortcuts pooled where the size changes."""

_base_ = '../classifier_cifar.py'

model = dict(backbone=dict(type='rethink_det.CifarResNet', depth=56, shortcut='avgpool'))
