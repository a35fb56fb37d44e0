"""ResNet-50 on ImageNet, the parent of ThiNet, regression and weight-level pruning.

Source: arXiv 1810.05270, whose parent of weight-level pruning has torchvision's weights; they
fit this config as they are.
Run: python tools/train.py configs/classification/resnet50_imagenet.py
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
    backbone=dict(type='mmdet.ResNet', depth=50, norm_eval=False, zero_init_residual=False)
)
