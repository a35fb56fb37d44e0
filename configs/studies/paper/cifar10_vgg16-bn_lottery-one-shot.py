"""Lottery tickets of VGG-16 on CIFAR-10, 60 % of the weights removed at once.

Source: arXiv 1810.05270, comparison with the lottery ticket hypothesis (arXiv 1803.03635). How
much is removed is ours to choose, as its code leaves it open.
Run: rethink-det study paper/cifar10_vgg16-bn_lottery-one-shot
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='VGG-16 on CIFAR-10, lottery tickets, 60 % at once',
    classification=dict(
        config='../../classification/vgg16_magnitude_cifar10.py',
        pruner=dict(type='MagnitudePruner', ratio=0.6, strictly_above=True),
        arms=['unpruned', 'lottery', 'scratch-e'],
    ),
)
