"""Lottery tickets of VGG-16 on CIFAR-10, 60 % of the weights removed at once.

Source: as cifar10_vgg16-bn_lottery-one-shot, with a learning rate of 0.01 in place of 0.1 in
every arm.
Run: rethink-det study paper/cifar10_vgg16-bn_lottery-one-shot_small-lr
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = 'cifar10_vgg16-bn_lottery-one-shot.py'

study = dict(
    title='VGG-16 on CIFAR-10, lottery tickets, 60 % at once, small learning rate',
    classification=dict(
        options={'optim_wrapper.optimizer.lr': 0.01},
    ),
)
