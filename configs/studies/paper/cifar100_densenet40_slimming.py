"""DenseNet-40 on CIFAR-100, channels removed by network slimming.

Source: arXiv 1810.05270, network slimming (arXiv 1708.06519). The shares are from the code of arXiv
1708.06519, which prunes so on this data.
Run: rethink-det study paper/cifar100_densenet40_slimming
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270. Unpruned here is the parent
that trains with sparse scales.
"""

_base_ = '../../_base_/study_cifar_slimming.py'

study = dict(
    title='DenseNet-40 on CIFAR-100, network slimming',
    classification=dict(config='../../classification/densenet40_slimming_cifar100.py'),
)
