"""VGG-16 with BatchNorm on ImageNet, a parent of weight-level pruning.

Source: arXiv 1810.05270, whose parent has torchvision's weights; they fit this config as they are.
Run: python tools/train.py configs/classification/vgg16-bn_imagenet.py
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
    backbone=dict(type='rethink_det.VGG', depth=16),
    head=dict(_delete_=True, type='rethink_det.MLPHead', num_classes=1000),
)
