"""A CIFAR ResNet on images normalised as the code of soft filter pruning does for CIFAR-10.

Source: arXiv 1810.05270's code for arXiv 1808.06866. A config on top says the ``depth``.
"""

_base_ = 'classifier_cifar.py'

model = dict(
    backbone=dict(type='rethink_det.CifarResNet', shortcut='avgpool'),
    data_preprocessor=dict(mean=[125.3, 123.0, 113.9], std=[63.0, 62.1, 66.7]),
)
