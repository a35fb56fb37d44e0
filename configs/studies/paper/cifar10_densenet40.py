"""DenseNet-40 on CIFAR-10, weights of convolutions removed by magnitude.

Source: arXiv 1810.05270, weights by magnitude (arXiv 1506.02626). Of the shares its code shows
30 %; 60 % is the default of its script.
Run: rethink-det study paper/cifar10_densenet40
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = '../../_base_/study_cifar_magnitude.py'

study = dict(
    title='DenseNet-40 on CIFAR-10, weights by magnitude',
    classification=dict(config='../../classification/densenet40_magnitude_cifar10.py'),
)
