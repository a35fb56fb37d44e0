"""VGG-19 on CIFAR-10, 70 % of the channels removed by network slimming.

Source: arXiv 1810.05270, network slimming (arXiv 1708.06519).
Run: rethink-det study paper/cifar10_vgg19_slimming
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270. Unpruned here is the parent
that trains with sparse scales.
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='VGG-19 on CIFAR-10, network slimming',
    classification=dict(
        config='../../classification/vgg19_slimming_cifar10.py',
        pruners={'70': dict(type='NetworkSlimmingPruner', ratio=0.7, strictly_above=True)},
    ),
)
