"""ResNet-56 on CIFAR-10, pruned as resnet56-a and -b by L1 norm, and its lottery tickets.

Source: arXiv 1810.05270, L1-norm filter pruning (arXiv 1608.08710), comparison with the lottery
ticket hypothesis (arXiv 1803.03635).
Run: rethink-det study paper/cifar10_resnet56
Hardware: one GPU; not run.
Expected: the published top-1 stands beside each arm, see _base_/published.py. Of lottery tickets
none is published with the code.
"""

_base_ = ['../../_base_/study_cifar.py', '../../_base_/published.py']

study = dict(
    title='ResNet-56 on CIFAR-10',
    classification=dict(
        config='../../classification/resnet56_l1norm_cifar10.py',
        reference={{_base_.published.resnet56}},
        variants={
            'l1norm-a': dict(
                pruner=dict(type='L1NormPruner', target='resnet56-a'),
                reference={{_base_.published.resnet56_a}},
            ),
            'l1norm-b': dict(
                pruner=dict(type='L1NormPruner', target='resnet56-b'),
                reference={{_base_.published.resnet56_b}},
            ),
            'lottery-l1norm-a': dict(
                pruner=dict(type='L1NormPruner', target='resnet56-a'),
                arms=['unpruned', 'lottery', 'scratch-e'],
            ),
            'lottery-l1norm-b': dict(
                pruner=dict(type='L1NormPruner', target='resnet56-b'),
                arms=['unpruned', 'lottery', 'scratch-e'],
            ),
        },
    ),
)
