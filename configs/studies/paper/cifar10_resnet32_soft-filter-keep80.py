"""ResNet-32 on CIFAR-10, soft filter pruning: 80 % of the filters are kept.

Source: arXiv 1810.05270, soft filter pruning (arXiv 1808.06866). Its code shows 70 %; 80 %
is ours, between that and the default of its script, 90 %.
Run: rethink-det study paper/cifar10_resnet32_soft-filter-keep80
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270. Unpruned here is the network
that soft pruning trained, its removed filters at zero.
"""

_base_ = '../../_base_/study_cifar_soft_filter.py'

study = dict(
    title='ResNet-32 on CIFAR-10, soft filter pruning, 80 % kept',
    classification=dict(
        config='../../classification/resnet32_soft-filter_cifar10.py',
        options=dict(custom_hooks=[dict(type='rethink_det.SoftFilterHook', keep=0.8)]),
    ),
)
