"""ResNet-56 on CIFAR-10, pruned as resnet56-b by L1 norm.

Source: arXiv 1810.05270, L1-norm filter pruning (arXiv 1608.08710).
Run: rethink-det study paper/cifar10_resnet56_l1norm-b
Hardware: one GPU; not run.
Expected: top-1 93.14 +- 0.12 unpruned, 92.54 +- 0.19 Scratch-E, 93.05 +- 0.18 Scratch-B (arXiv
1810.05270, five runs).
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='ResNet-56 on CIFAR-10, L1-norm pruning B',
    classification=dict(
        config='../../classification/resnet56_l1norm_cifar10.py',
        pruner=dict(type='L1NormPruner', target='resnet56-b'),
        reference={
            'unpruned': dict(value=93.14, source='arXiv 1810.05270'),
            'scratch-e': dict(value=92.54, source='arXiv 1810.05270'),
            'scratch-b': dict(value=93.05, source='arXiv 1810.05270'),
        },
    ),
)
