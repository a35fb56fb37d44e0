"""Lottery tickets of ResNet-110 on CIFAR-10, pruned as resnet110-b by L1 norm.

Source: arXiv 1810.05270, comparison with the lottery ticket hypothesis (arXiv 1803.03635).
Run: rethink-det study paper/cifar10_resnet110_lottery-l1norm-b
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='ResNet-110 on CIFAR-10, lottery tickets, L1-norm pruning B',
    classification=dict(
        config='../../classification/resnet110_l1norm_cifar10.py',
        pruner=dict(type='L1NormPruner', target='resnet110-b'),
        arms=['unpruned', 'lottery', 'scratch-e'],
    ),
)
