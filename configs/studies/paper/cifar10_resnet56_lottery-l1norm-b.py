"""Lottery tickets of ResNet-56 on CIFAR-10, pruned as resnet56-b by L1 norm.

Source: arXiv 1810.05270, comparison with the lottery ticket hypothesis (arXiv 1803.03635).
Run: rethink-det study paper/cifar10_resnet56_lottery-l1norm-b
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='ResNet-56 on CIFAR-10, lottery tickets, L1-norm pruning B',
    classification=dict(
        config='../../classification/resnet56_l1norm_cifar10.py',
        pruner=dict(type='L1NormPruner', target='resnet56-b'),
        arms=['unpruned', 'lottery', 'scratch-e'],
    ),
)
