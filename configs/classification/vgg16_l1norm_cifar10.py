"""VGG-16 with a hidden layer of 512 on CIFAR-10, the parent of L1-norm pruning.

Source: L1-norm filter pruning (arXiv 1608.08710), as trained by arXiv 1810.05270.
Run: python tools/train.py configs/classification/vgg16_l1norm_cifar10.py
Prune: rethink-det prune classification/vgg16_l1norm_cifar10.py CHECKPOINT
    --pruner L1NormPruner --pruner-options target=vgg16-a -o pruned.pth
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar10.py',
    '../_base_/schedule_cifar.py',
    '../_base_/networks/vgg16_hidden.py',
]
