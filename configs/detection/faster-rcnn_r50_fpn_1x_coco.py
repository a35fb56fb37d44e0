"""Faster R-CNN, ResNet-50, COCO 2017, 1x: mmdet's own, evaluated by hotcoco.

Run: python tools/train.py configs/detection/faster-rcnn_r50_fpn_1x_coco.py
Another backbone: add --backbone CHECKPOINT --arm prune-c (or scratch-e, scratch-b, ...).
Hardware: 8 GPUs at 2 images each, as mmdet's.
"""

_base_ = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'

custom_imports = dict(imports=['rethink_det'])
val_evaluator = dict(type='rethink_det.CocoMetric')
test_evaluator = dict(type='rethink_det.CocoMetric')
