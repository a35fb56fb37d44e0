"""ResNet-56 on CIFAR-10, soft filter pruning from a trained network: 70 % of the filters are kept.

Source: arXiv 1810.05270, soft filter pruning (arXiv 1808.06866). Its code shows 70 %.
Run: rethink-det study paper/cifar10_resnet56_soft-filter-pretrained-keep70
    after the two trainings of ../../classification/resnet56_soft-filter-pretrained_cifar10.py
    Another file than that of the second one: --cfg-options study.classification.parent=FILE
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270. Unpruned here is the network
that soft pruning trained, its removed filters at zero.
"""

_base_ = '../../_base_/study_cifar_soft_filter.py'

study = dict(
    title='ResNet-56 on CIFAR-10, soft filter pruning from a trained network, 70 % kept',
    classification=dict(
        config='../../classification/resnet56_soft-filter_cifar10.py',
        parent='work_dirs/resnet56_soft-filter-pretrained_cifar10/epoch_200.pth',
        parent_epochs=400,
    ),
)
