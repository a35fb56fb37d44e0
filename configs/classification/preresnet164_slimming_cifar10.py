"""Pre-activation ResNet-164 on CIFAR-10 with sparse BatchNorm scales.

Source: Network Slimming (arXiv 1708.06519), as trained by arXiv 1810.05270.
Run: python tools/train.py configs/classification/preresnet164_slimming_cifar10.py
Prune: rethink-det prune classification/preresnet164_slimming_cifar10.py CHECKPOINT
    --pruner NetworkSlimmingPruner --pruner-options ratio=0.4 -o pruned.pth
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar10.py',
    '../_base_/schedule_cifar.py',
    '../_base_/networks/preresnet164_slimming.py',
]
