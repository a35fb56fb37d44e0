"""The same on a folder of a few COCO images: other paths and epochs, nothing else.

Run: python tools/train.py configs/detection/faster-rcnn_r34-l1norm-a-random_fpn_tiny-coco.py
Hardware: 2 CPU cores.
"""

_base_ = './faster-rcnn_r34-l1norm-a-random_fpn_1x_coco.py'

data_root = 'data/tiny_coco/'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
val_evaluator = dict(ann_file=data_root + 'annotations/instances_val2017.json')
test_evaluator = dict(ann_file=data_root + 'annotations/instances_val2017.json')
train_cfg = dict(max_epochs=2, val_interval=2)
