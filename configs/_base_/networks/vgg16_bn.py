"""VGG-16 with BatchNorm for CIFAR, as lottery tickets of single weights have it."""

_base_ = '../classifier_cifar.py'

model = dict(
    backbone=dict(type='rethink_det.VGG', depth=16, init='fan_in', last_pool=False),
    head=dict(init_std=0.01),
)
