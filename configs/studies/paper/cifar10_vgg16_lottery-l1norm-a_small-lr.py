"""Lottery tickets of VGG-16 on CIFAR-10, pruned as vgg16-a by L1 norm.

Source: as cifar10_vgg16_lottery-l1norm-a, with a learning rate of 0.01 in place of 0.1 in every
arm.
Run: rethink-det study paper/cifar10_vgg16_lottery-l1norm-a_small-lr
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = 'cifar10_vgg16_lottery-l1norm-a.py'

study = dict(
    title='VGG-16 on CIFAR-10, lottery tickets, L1-norm pruning A, small learning rate',
    classification=dict(
        options={'optim_wrapper.optimizer.lr': 0.01},
    ),
)
