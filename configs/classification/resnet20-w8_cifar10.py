"""ResNet-20 of half the usual width on CIFAR-10, from a folder of images.

For trials on a CPU. Batches of 128, otherwise the recipe of arXiv 1810.05270.
Run: python tools/train.py configs/classification/resnet20-w8_cifar10.py
"""

_base_ = 'resnet56_cifar10.py'

model = dict(backbone=dict(depth=20, base_channels=8))
train_dataloader = dict(batch_size=128)
