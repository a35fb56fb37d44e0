"""Lottery tickets of ResNet-110 on CIFAR-10 at a small learning rate.

Source: arXiv 1810.05270, comparison with the lottery ticket hypothesis (arXiv 1803.03635).
Run: rethink-det study paper/cifar10_resnet110_small-lr
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = '../../_base_/study_cifar_small_lr.py'

study = dict(
    title='ResNet-110 on CIFAR-10, small learning rate',
    classification=dict(
        config='../../classification/resnet110_l1norm_cifar10.py',
        pruners={
            'lottery-l1norm-a': dict(type='L1NormPruner', target='resnet110-a'),
            'lottery-l1norm-b': dict(type='L1NormPruner', target='resnet110-b'),
        },
    ),
)
