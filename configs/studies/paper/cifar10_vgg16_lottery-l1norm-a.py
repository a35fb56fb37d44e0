"""Lottery tickets of VGG-16 on CIFAR-10, pruned as vgg16-a by L1 norm.

Source: arXiv 1810.05270, comparison with the lottery ticket hypothesis (arXiv 1803.03635).
Run: rethink-det study paper/cifar10_vgg16_lottery-l1norm-a
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='VGG-16 on CIFAR-10, lottery tickets, L1-norm pruning A',
    classification=dict(
        config='../../classification/vgg16_l1norm_cifar10.py',
        pruner=dict(type='L1NormPruner', target='vgg16-a'),
        arms=['unpruned', 'lottery', 'scratch-e'],
    ),
)
