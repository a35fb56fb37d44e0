"""ResNet-110 on CIFAR-10, pruned as resnet110-a and -b by L1 norm, and its lottery tickets.

Source: arXiv 1810.05270, L1-norm filter pruning (arXiv 1608.08710), comparison with the lottery
ticket hypothesis (arXiv 1803.03635).
Run: rethink-det study paper/cifar10_resnet110
Hardware: one GPU; not run.
Expected: the published top-1 stands beside each arm, see _base_/published.py. Of lottery tickets
none is published with the code.
"""

_base_ = ['../../_base_/study_cifar.py', '../../_base_/published.py']

study = dict(
    title='ResNet-110 on CIFAR-10',
    classification=dict(
        config='../../classification/resnet110_l1norm_cifar10.py',
        reference={{_base_.published.resnet110}},
        variants={
            'l1norm-a': dict(
                pruner=dict(type='L1NormPruner', target='resnet110-a'),
                reference={{_base_.published.resnet110_a}},
            ),
            'l1norm-b': dict(
                pruner=dict(type='L1NormPruner', target='resnet110-b'),
                reference={{_base_.published.resnet110_b}},
            ),
            'lottery-l1norm-a': dict(
                pruner=dict(type='L1NormPruner', target='resnet110-a'),
                arms=['unpruned', 'lottery', 'scratch-e'],
            ),
            'lottery-l1norm-b': dict(
                pruner=dict(type='L1NormPruner', target='resnet110-b'),
                arms=['unpruned', 'lottery', 'scratch-e'],
            ),
        },
    ),
)
