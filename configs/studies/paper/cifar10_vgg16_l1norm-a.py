"""VGG-16 on CIFAR-10, pruned as vgg16-a by L1 norm.

Source: arXiv 1810.05270, L1-norm filter pruning (arXiv 1608.08710).
Run: rethink-det study paper/cifar10_vgg16_l1norm-a
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = '../../_base_/study_cifar.py'

study = dict(
    title='VGG-16 on CIFAR-10, L1-norm pruning A',
    classification=dict(
        config='../../classification/vgg16_l1norm_cifar10.py',
        pruner=dict(type='L1NormPruner', target='vgg16-a'),
    ),
)
