"""VGG-16 on CIFAR-10, pruned as vgg16-a by L1 norm, and its lottery tickets.

Source: arXiv 1810.05270, L1-norm filter pruning (arXiv 1608.08710), comparison with the lottery
ticket hypothesis (arXiv 1803.03635).
Run: rethink-det study paper/cifar10_vgg16
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='VGG-16 on CIFAR-10',
    classification=dict(
        config='../../classification/vgg16_l1norm_cifar10.py',
        variants={
            'l1norm-a': dict(pruner=dict(type='L1NormPruner', target='vgg16-a')),
            'lottery-l1norm-a': dict(
                pruner=dict(type='L1NormPruner', target='vgg16-a'),
                arms=['unpruned', 'lottery', 'scratch-e'],
            ),
        },
    ),
)
