"""ResNet-56 on CIFAR-100 under soft filter pruning: 70 % of the filters are kept.

Source: as resnet56_soft-filter_cifar10.py.
Run: python tools/train.py configs/classification/resnet56_soft-filter_cifar100.py
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = ['../_base_/default_runtime.py', '../_base_/soft_filter_cifar100.py']

model = dict(backbone=dict(depth=56))
