"""DenseNet-40 on CIFAR-10, a parent of weight-level pruning.

Source: pruning weights by magnitude (arXiv 1506.02626), as trained by arXiv 1810.05270.
Run: python tools/train.py configs/classification/densenet40_magnitude_cifar10.py
Prune: rethink-det prune classification/densenet40_magnitude_cifar10.py CHECKPOINT
    --pruner MagnitudePruner --pruner-options ratio=0.6 -o pruned.pth
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar10.py',
    '../_base_/schedule_cifar.py',
    '../_base_/networks/densenet40.py',
]
