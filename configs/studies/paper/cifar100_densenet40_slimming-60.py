"""DenseNet-40 on CIFAR-100, 60 % of the channels removed by network slimming.

Source: arXiv 1810.05270, network slimming (arXiv 1708.06519); the share is from the code of arXiv
1708.06519, which prunes so on this data.
Run: rethink-det study paper/cifar100_densenet40_slimming-60
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270. Unpruned here is the parent
that trains with sparse scales.
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='DenseNet-40 on CIFAR-100, network slimming 60 %',
    classification=dict(
        config='../../classification/densenet40_slimming_cifar100.py',
        pruner=dict(type='NetworkSlimmingPruner', ratio=0.6, strictly_above=True),
    ),
)
