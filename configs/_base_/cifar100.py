"""CIFAR-100, fine labels, from its archive, ``data/cifar100/cifar-100-python.tar.gz`` or extracted.

Loaders as for CIFAR-10, and so is the normalisation in arXiv 1810.05270's code (not in that of
soft filter pruning). The model's head needs ``num_classes=100``.
"""

_base_ = 'cifar10_folder.py'

train_dataloader = dict(dataset=dict(type='rethink_det.CIFAR100', val=0, data_root='data/cifar100'))
val_dataloader = dict(dataset=dict(type='rethink_det.CIFAR100', val=0, data_root='data/cifar100'))
test_dataloader = val_dataloader
