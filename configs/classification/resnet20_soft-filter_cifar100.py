"""ResNet-20 on CIFAR-100 under soft filter pruning: 70 % of the filters are kept.

Source: as resnet20_soft-filter_cifar10.py.
Run: python tools/train.py configs/classification/resnet20_soft-filter_cifar100.py
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = 'resnet20_soft-filter_cifar10.py'

model = dict(
    head=dict(num_classes=100),
    data_preprocessor=dict(mean=[129.3, 124.1, 112.4], std=[68.2, 65.4, 70.4]),
)
train_dataloader = dict(dataset=dict(type='rethink_det.CIFAR100', data_root='data/cifar100'))
val_dataloader = dict(dataset=dict(type='rethink_det.CIFAR100', data_root='data/cifar100'))
test_dataloader = val_dataloader
