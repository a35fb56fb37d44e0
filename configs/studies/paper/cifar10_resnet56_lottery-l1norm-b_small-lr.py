"""Lottery tickets of ResNet-56 on CIFAR-10, pruned as resnet56-b by L1 norm.

Source: as cifar10_resnet56_lottery-l1norm-b, with a learning rate of 0.01 in place of 0.1 in
every arm.
Run: rethink-det study paper/cifar10_resnet56_lottery-l1norm-b_small-lr
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = 'cifar10_resnet56_lottery-l1norm-b.py'

study = dict(
    title='ResNet-56 on CIFAR-10, lottery tickets, L1-norm pruning B, small learning rate',
    classification=dict(
        options={'optim_wrapper.optimizer.lr': 0.01},
    ),
)
