"""ResNet-20 on CIFAR-10 under soft filter pruning: 70 % of the filters are kept.

Source: Soft Filter Pruning (arXiv 1808.06866), with the settings of arXiv 1810.05270's code
(which shows the run itself at a tenth of this learning rate).
Run: python tools/train.py configs/classification/resnet20_soft-filter_cifar10.py
Prune: rethink-det prune classification/resnet20_soft-filter_cifar10.py CHECKPOINT
    --pruner SoftFilterPruner -o pruned.pth
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = ['../_base_/default_runtime.py', '../_base_/soft_filter_cifar10.py']

model = dict(backbone=dict(depth=20))
