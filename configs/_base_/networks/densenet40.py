"""DenseNet-40 for CIFAR, its BatchNorm scales at 1 as in weight-level pruning."""

_base_ = '../classifier_cifar.py'

model = dict(backbone=dict(type='rethink_det.DenseNet', depth=40))
