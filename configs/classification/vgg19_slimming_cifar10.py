"""VGG-19 on CIFAR-10 with sparse BatchNorm scales, the parent of network slimming.

Source: Network Slimming (arXiv 1708.06519), as trained by arXiv 1810.05270.
Run: python tools/train.py configs/classification/vgg19_slimming_cifar10.py
Prune: rethink-det prune classification/vgg19_slimming_cifar10.py CHECKPOINT
    --pruner NetworkSlimmingPruner --pruner-options ratio=0.7 -o pruned.pth
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar10.py',
    '../_base_/schedule_cifar.py',
    '../_base_/networks/vgg19_slimming.py',
]
