"""ResNet-110 on CIFAR-10, the parent of L1-norm pruning.

Source: L1-norm filter pruning (arXiv 1608.08710), as trained by arXiv 1810.05270.
Run: python tools/train.py configs/classification/resnet110_l1norm_cifar10.py
Prune: rethink-det prune classification/resnet110_l1norm_cifar10.py CHECKPOINT
    --pruner L1NormPruner --pruner-options target=resnet110-a -o pruned.pth
Hardware: one GPU; not run.
Expected: the top-1 of resnet110 in _base_/published.py.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar10.py',
    '../_base_/schedule_cifar.py',
    '../_base_/networks/resnet110.py',
]
