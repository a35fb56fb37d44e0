"""DenseNet-40 on CIFAR-10, 40 % of the channels removed by network slimming.

Source: arXiv 1810.05270, network slimming (arXiv 1708.06519).
Run: rethink-det study paper/cifar10_densenet40_slimming-40
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270. Unpruned here is the parent
that trains with sparse scales.
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='DenseNet-40 on CIFAR-10, network slimming 40 %',
    classification=dict(
        config='../../classification/densenet40_slimming_cifar10.py',
        pruner=dict(type='NetworkSlimmingPruner', ratio=0.4, strictly_above=True),
    ),
)
