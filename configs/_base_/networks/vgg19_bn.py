"""VGG-19 with BatchNorm for CIFAR, as weight-level pruning has it."""

_base_ = '../classifier_cifar.py'

model = dict(
    backbone=dict(type='rethink_det.VGG', depth=19, init='fan_in', last_pool=False),
    head=dict(init_std=0.01),
)
