"""Lottery tickets of VGG-16 with BatchNorm on CIFAR-10, found by single weights.

Source: arXiv 1810.05270, comparison with the lottery ticket hypothesis (arXiv 1803.03635). How much
is removed is ours to choose, as its code leaves it open.
Run: rethink-det study paper/cifar10_vgg16-bn
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='VGG-16 with BatchNorm on CIFAR-10',
    classification=dict(
        config='../../classification/vgg16_magnitude_cifar10.py',
        arms=['unpruned', 'lottery', 'scratch-e'],
        variants={
            'lottery-one-shot': dict(
                pruner=dict(type='MagnitudePruner', ratio=0.6, strictly_above=True),
            ),
            'lottery-iterative': dict(
                pruner=dict(type='MagnitudePruner', ratio=0.2, strictly_above=True),
                rounds=4,
                round_arm='lottery',
            ),
        },
    ),
)
