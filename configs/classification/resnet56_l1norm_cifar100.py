"""ResNet-56 on CIFAR-100, the parent of L1-norm pruning.

Source: as resnet56_l1norm_cifar10.py.
Run: python tools/train.py configs/classification/resnet56_l1norm_cifar100.py
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar100.py',
    '../_base_/schedule_cifar.py',
    '../_base_/networks/resnet56.py',
]

model = dict(head=dict(num_classes=100))
