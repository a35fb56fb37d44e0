"""Pre-activation ResNet-164 on CIFAR-10 with sparse BatchNorm scales.

Source: Network Slimming (arXiv 1708.06519), as trained by arXiv 1810.05270.
Run: python tools/train.py configs/classification/preresnet164_slimming_cifar10.py
Prune: rethink-det prune classification/preresnet164_slimming_cifar10.py CHECKPOINT
    --pruner NetworkSlimmingPruner --pruner-options ratio=0.4 -o pruned.pth
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = 'resnet56_cifar10.py'

model = dict(backbone=dict(_delete_=True, type='rethink_det.PreResNet', depth=164, bn_weight=0.5))
custom_hooks = [dict(type='rethink_det.SparsityHook', scale=1e-5)]
