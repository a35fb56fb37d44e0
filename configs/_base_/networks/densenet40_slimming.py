"""DenseNet-40 for CIFAR, its BatchNorm scales under the penalty of network slimming."""

_base_ = '../classifier_cifar.py'

model = dict(backbone=dict(type='rethink_det.DenseNet', depth=40, bn_weight=0.5))
custom_hooks = [dict(type='rethink_det.SparsityHook', scale=1e-5)]
