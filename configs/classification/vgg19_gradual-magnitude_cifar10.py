"""VGG-19 on CIFAR-10 that loses 60 % of its weights little by little.

Source: To prune, or not to prune (arXiv 1710.01878), on the VGG-19 that arXiv 1810.05270 prunes
by magnitude. Every checkpoint has the masks and trains on by --arm.
Run: python tools/train.py configs/classification/vgg19_gradual-magnitude_cifar10.py
Hardware: one GPU; not run.
Expected: arXiv 1810.05270 prunes by magnitude at once, not gradually.
"""

_base_ = 'vgg19_magnitude_cifar10.py'

custom_hooks = [
    dict(type='rethink_det.GradualMagnitudeHook', sparsity=0.6, begin=20, end=100, interval=500)
]
