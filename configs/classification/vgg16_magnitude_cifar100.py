"""VGG-16 with BatchNorm on CIFAR-100, the parent of lottery tickets of single weights.

Source: as vgg16_magnitude_cifar10.py.
Run: python tools/train.py configs/classification/vgg16_magnitude_cifar100.py
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar100.py',
    '../_base_/schedule_cifar.py',
    '../_base_/networks/vgg16_bn.py',
]

model = dict(head=dict(num_classes=100))
