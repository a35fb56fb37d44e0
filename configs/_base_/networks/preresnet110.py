"""Pre-activation ResNet-110 for CIFAR."""

_base_ = '../classifier_cifar.py'

model = dict(backbone=dict(type='rethink_det.PreResNet', depth=110))
