"""ResNet-34 on ImageNet, the parent of L1-norm pruning.

Source: arXiv 1810.05270, whose parent has torchvision's weights; they fit this config as they are.
Run: python tools/train.py configs/classification/resnet34_imagenet.py
Hardware: a GPU that holds a batch of 256, or several (see the data base); not run.
Expected: the top-1 of resnet34 in _base_/published.py.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/imagenet.py',
    '../_base_/schedule_imagenet.py',
    '../_base_/classifier_imagenet.py',
]

model = dict(
    backbone=dict(type='mmdet.ResNet', depth=34, norm_eval=False, zero_init_residual=False)
)
