"""Lottery tickets of ResNet-56 on CIFAR-10, pruned as resnet56-a by L1 norm.

Source: arXiv 1810.05270, comparison with the lottery ticket hypothesis (arXiv 1803.03635).
Run: rethink-det study paper/cifar10_resnet56_lottery-l1norm-a
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='ResNet-56 on CIFAR-10, lottery tickets, L1-norm pruning A',
    classification=dict(
        config='../../classification/resnet56_l1norm_cifar10.py',
        pruner=dict(type='L1NormPruner', target='resnet56-a'),
        arms=['unpruned', 'lottery', 'scratch-e'],
    ),
)
