"""VGG-11 with BatchNorm on ImageNet and sparse scales, in the head too.

Source: Network Slimming (arXiv 1708.06519), as trained by arXiv 1810.05270.
BatchNorm is in the head in place of dropout.
Run: python tools/train.py configs/classification/vgg11-bn_slimming_imagenet.py
Hardware: a GPU that holds a batch of 256, or several (see the data base); not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/imagenet.py',
    '../_base_/schedule_imagenet.py',
    '../_base_/classifier_imagenet.py',
]

model = dict(
    backbone=dict(type='rethink_det.VGG', depth=11, bn_weight=0.5),
    head=dict(
        _delete_=True,
        type='rethink_det.MLPHead',
        num_classes=1000,
        norm=True,
        dropout=0,
        bn_weight=0.5,
    ),
)
custom_hooks = [dict(type='rethink_det.SparsityHook', scale=1e-5, heads=True)]
