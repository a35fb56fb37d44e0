"""ResNet-56 on CIFAR-10, the unpruned parent.

Source: arXiv 1810.05270, table of L1-norm filter pruning; recipe of its code.
Run: python tools/train.py configs/classification/resnet56_cifar10.py
Expected: 93.14 +- 0.12 top-1 (arXiv 1810.05270, five runs).
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/cifar10_folder.py',
    '../_base_/schedule_cifar.py',
]

model = dict(
    type='rethink_det.Classifier',
    backbone=dict(type='rethink_det.CifarResNet', depth=56, shortcut='avgpool'),
    head=dict(type='rethink_det.LinearHead', num_classes=10),
    input_shape=(3, 32, 32),
    data_preprocessor=dict(
        type='rethink_det.ImagePreprocessor',
        mean=[125.307, 122.961, 113.8575],
        std=[51.5865, 50.847, 51.255],
        pad=4,
        flip=0.5,
    ),
)
