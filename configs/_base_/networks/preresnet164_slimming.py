"""Pre-activation ResNet-164 for CIFAR, its BatchNorm scales under the penalty of slimming."""

_base_ = '../classifier_cifar.py'

model = dict(backbone=dict(type='rethink_det.PreResNet', depth=164, bn_weight=0.5))
custom_hooks = [dict(type='rethink_det.SparsityHook', scale=1e-5)]
