"""Pre-activation ResNet-164 on CIFAR-10 with a scaling factor on every residual block.

Source: Data-Driven Sparse Structure Selection (arXiv 1707.01213), which prunes this network on
CIFAR-10, too; schedule of arXiv 1810.05270's CIFAR experiments. The weight of the penalty is
ours to choose: more of it removes more blocks.
Run: python tools/train.py configs/classification/preresnet164_sparse-structure_cifar10.py
Prune: rethink-det prune classification/preresnet164_sparse-structure_cifar10.py CHECKPOINT
    --pruner SparseStructurePruner -o pruned.pth
Hardware: one GPU; not run.
Expected: arXiv 1810.05270 examined this method on ImageNet only.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar10.py',
    '../_base_/schedule_cifar.py',
    '../_base_/classifier_cifar.py',
]

model = dict(backbone=dict(type='rethink_det.PreResNet', depth=164))
custom_hooks = [dict(type='rethink_det.StructureScaleHook', weight=0.01, structures='block')]
