"""VGG-16 on ImageNet, without BatchNorm: the parent of ThiNet and regression.

Source: arXiv 1409.1556; recipe of arXiv 1810.05270's code. torchvision's weights fit as they are.
Run: python tools/train.py configs/classification/vgg16_imagenet.py
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
    backbone=dict(type='rethink_det.VGG', depth=16, norm=False),
    head=dict(_delete_=True, type='rethink_det.MLPHead', num_classes=1000),
)
optim_wrapper = dict(optimizer=dict(lr=0.01))
