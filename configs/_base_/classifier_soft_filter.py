"""The CIFAR ResNet of soft filter pruning's authors, on images as they normalise CIFAR-10's.

Source: He et al., arXiv 1808.06866 (``he-y/soft-filter-pruning``), whose networks the experiments
of arXiv 1810.05270 train: a shortcut takes every second pixel and appends zero channels, and the
classifier is drawn by Kaiming normal. A config on top says the ``depth``.
"""

_base_ = 'classifier_cifar.py'

model = dict(
    backbone=dict(type='rethink_det.CifarResNet', shortcut='subsample-append'),
    head=dict(init_std='kaiming'),
    data_preprocessor=dict(mean=[125.3, 123.0, 113.9], std=[63.0, 62.1, 66.7]),
)
