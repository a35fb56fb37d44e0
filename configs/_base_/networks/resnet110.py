"""ResNet-110 for CIFAR: as ResNet-56, but deeper."""

_base_ = 'resnet56.py'

model = dict(backbone=dict(depth=110))
