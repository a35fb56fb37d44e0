"""Mask R-CNN, ResNet-34, COCO 2017, 1x.

Run: python tools/train.py configs/detection/mask-rcnn_r34_fpn_1x_coco.py
Another backbone: add --backbone CHECKPOINT --arm prune-c (or scratch-e, scratch-b, ...).
Hardware: 8 GPUs at 2 images each, as mmdet's.
"""

_base_ = './mask-rcnn_r50_fpn_1x_coco.py'

model = dict(
    backbone=dict(depth=34, init_cfg=dict(checkpoint='torchvision://resnet34')),
    neck=dict(in_channels=[64, 128, 256, 512]),
)
