"""ResNet-56 on CIFAR-10, the unpruned parent, from a folder of images.

Source: arXiv 1810.05270, table of L1-norm filter pruning; recipe of its code. From the official
archive: resnet56_l1norm_cifar10.py.
Run: python tools/train.py configs/classification/resnet56_cifar10.py
Expected: the top-1 of resnet56 in _base_/published.py.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar10_folder.py',
    '../_base_/schedule_cifar.py',
    '../_base_/networks/resnet56.py',
]
