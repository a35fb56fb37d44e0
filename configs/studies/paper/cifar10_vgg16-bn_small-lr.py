"""Lottery tickets of VGG-16 with BatchNorm on CIFAR-10 at a small learning rate.

Source: as cifar10_vgg16-bn, with a learning rate of 0.01 in place of 0.1 in every arm.
Run: rethink-det study paper/cifar10_vgg16-bn_small-lr
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = 'cifar10_vgg16-bn.py'

study = dict(
    title='VGG-16 with BatchNorm on CIFAR-10, small learning rate',
    classification=dict(options={'optim_wrapper.optimizer.lr': 0.01}),
)
