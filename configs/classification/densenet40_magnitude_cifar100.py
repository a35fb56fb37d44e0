"""DenseNet-40 on CIFAR-100, a parent of weight-level pruning.

Source: as densenet40_magnitude_cifar10.py.
Run: python tools/train.py configs/classification/densenet40_magnitude_cifar100.py
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar100.py',
    '../_base_/schedule_cifar.py',
    '../_base_/networks/densenet40.py',
]

model = dict(head=dict(num_classes=100))
