"""VGG-16 with BatchNorm on CIFAR-10, the parent of lottery tickets of single weights.

Source: The Lottery Ticket Hypothesis (arXiv 1803.03635), network and recipe of arXiv
1810.05270's code.
Run: python tools/train.py configs/classification/vgg16_magnitude_cifar10.py
Prune: rethink-det prune classification/vgg16_magnitude_cifar10.py CHECKPOINT
    --pruner MagnitudePruner --pruner-options ratio=0.6 -o pruned.pth
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar10.py',
    '../_base_/schedule_cifar.py',
    '../_base_/networks/vgg16_bn.py',
]
