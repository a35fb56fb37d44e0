"""Lottery tickets of VGG-16 on CIFAR-10, 20 % of the weights left removed four times.

Source: as cifar10_vgg16-bn_lottery-iterative, with a learning rate of 0.01 in place of 0.1 in
every arm.
Run: rethink-det study paper/cifar10_vgg16-bn_lottery-iterative_small-lr
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = 'cifar10_vgg16-bn_lottery-iterative.py'

study = dict(
    title='VGG-16 on CIFAR-10, lottery tickets, 20 % four times, small learning rate',
    classification=dict(
        options={'optim_wrapper.optimizer.lr': 0.01},
    ),
)
