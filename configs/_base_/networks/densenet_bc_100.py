"""DenseNet-BC-100 for CIFAR."""

_base_ = '../classifier_cifar.py'

model = dict(
    backbone=dict(type='rethink_det.DenseNet', depth=100, compression=0.5, bottleneck=True)
)
