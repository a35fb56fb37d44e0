"""ResNet-110 on CIFAR-10, pruned as resnet110-b by L1 norm.

Source: arXiv 1810.05270, L1-norm filter pruning (arXiv 1608.08710).
Run: rethink-det study paper/cifar10_resnet110_l1norm-b
Hardware: one GPU; not run.
Expected: top-1 93.14 +- 0.24 unpruned, 92.89 +- 0.43 Scratch-E, 93.60 +- 0.25 Scratch-B (arXiv
1810.05270, five runs).
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='ResNet-110 on CIFAR-10, L1-norm pruning B',
    classification=dict(
        config='../../classification/resnet110_l1norm_cifar10.py',
        pruner=dict(type='L1NormPruner', target='resnet110-b'),
        reference={
            'unpruned': dict(value=93.14, source='arXiv 1810.05270'),
            'scratch-e': dict(value=92.89, source='arXiv 1810.05270'),
            'scratch-b': dict(value=93.6, source='arXiv 1810.05270'),
        },
    ),
)
