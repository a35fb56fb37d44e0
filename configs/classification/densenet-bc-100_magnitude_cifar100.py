"""DenseNet-BC-100 on CIFAR-100, a parent of weight-level pruning.

Source: as densenet-bc-100_magnitude_cifar10.py.
Run: python tools/train.py configs/classification/densenet-bc-100_magnitude_cifar100.py
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = 'densenet-bc-100_magnitude_cifar10.py'

model = dict(head=dict(num_classes=100))
train_dataloader = dict(dataset=dict(type='rethink_det.CIFAR100', data_root='data/cifar100'))
val_dataloader = dict(dataset=dict(type='rethink_det.CIFAR100', data_root='data/cifar100'))
test_dataloader = val_dataloader
