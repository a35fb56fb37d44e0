"""VGG-19 for CIFAR, its BatchNorm scales under the penalty of network slimming."""

_base_ = '../classifier_cifar.py'

model = dict(
    backbone=dict(
        type='rethink_det.VGG', depth=19, conv_bias=False, bn_weight=0.5, last_pool=False
    ),
    head=dict(init_std=0.01),
)
custom_hooks = [dict(type='rethink_det.SparsityHook', scale=1e-4)]
