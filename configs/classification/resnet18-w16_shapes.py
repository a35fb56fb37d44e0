"""A ResNet-18 of base width 16 on shapes crops: the backbone of the demo's detectors.

Run: python tools/train.py configs/classification/resnet18-w16_shapes.py
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/shapes_crops.py',
    '../_base_/schedule_shapes.py',
]

model = dict(
    type='rethink_det.Classifier',
    backbone=dict(
        type='mmdet.ResNet',
        depth=18,
        base_channels=16,
        norm_eval=False,
        zero_init_residual=False,
    ),
    head=dict(type='rethink_det.LinearHead', num_classes=8),
    input_shape=(3, 32, 32),
    data_preprocessor=dict(
        type='rethink_det.ImagePreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        pad=4,
        flip=0.5,
    ),
)
