"""Faster R-CNN, ResNet-34, PASCAL VOC 2007: trained on trainval, tested on test.

Schedule: that of mmdet's faster-rcnn_r50_fpn_1x_voc0712, 12 passes over the images at lr 0.01,
divided by ten after nine. That of arXiv 1810.05270 is not published with its code.
Run: python tools/train.py configs/detection/faster-rcnn_r34_fpn_voc07.py
Another backbone: add --backbone CHECKPOINT --arm prune-c (or scratch-e, scratch-b, ...).
Hardware: 8 GPUs at 2 images each, as mmdet's; about an hour on one that holds 16 (an estimate).
Expected: none is published with the code of arXiv 1810.05270.
"""

_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
    '../_base_/voc07.py',
    '../_base_/schedule_voc.py',
    'mmdet::_base_/default_runtime.py',
]

model = dict(
    backbone=dict(depth=34, init_cfg=dict(checkpoint='torchvision://resnet34')),
    neck=dict(in_channels=[64, 128, 256, 512]),
    roi_head=dict(bbox_head=dict(num_classes=20)),
)
