"""VGG-19 on CIFAR-100 with sparse BatchNorm scales, the parent of network slimming.

Source: as vgg19_slimming_cifar10.py.
Run: python tools/train.py configs/classification/vgg19_slimming_cifar100.py
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = 'vgg19_slimming_cifar10.py'

model = dict(head=dict(num_classes=100))
train_dataloader = dict(dataset=dict(type='rethink_det.CIFAR100', data_root='data/cifar100'))
val_dataloader = dict(dataset=dict(type='rethink_det.CIFAR100', data_root='data/cifar100'))
test_dataloader = val_dataloader
