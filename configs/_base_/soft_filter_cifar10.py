"""Soft filter pruning of a CIFAR ResNet on CIFAR-10, as in the code of arXiv 1810.05270.

Source: Soft Filter Pruning (arXiv 1808.06866). A config on top says the ``depth``.
"""

_base_ = ['cifar10.py', 'schedule_soft_filter.py', 'classifier_soft_filter.py']

train_dataloader = dict(batch_size=128)
