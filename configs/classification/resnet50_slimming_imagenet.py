"""ResNet-50 on ImageNet with sparse BatchNorm scales.

Source: Network Slimming (arXiv 1708.06519), whose ImageNet network is a VGG; recipe and penalty of
arXiv 1810.05270 for residual networks. Scales start at 1, as mmdet's ResNet has them, not at 0.5.
Run: python tools/train.py configs/classification/resnet50_slimming_imagenet.py
Hardware: a GPU that holds a batch of 256, or several (see the data base); not run.
Expected: none is published.
"""

_base_ = 'resnet50_imagenet.py'

custom_hooks = [dict(type='rethink_det.SparsityHook', scale=1e-5)]
