"""A small FCN on shapes images, 128x128: mmsegmentation's, with narrow layers.

Its backbone is the one of ``classification/resnet18-w16_shapes.py``, with the strides and dilations
that FCN has: the last two stages do not halve the map any more.
Run: python tools/train.py configs/segmentation/fcn_r18-w16-d8_shapes.py
"""

_base_ = [
    'mmseg::_base_/models/fcn_r50-d8.py',
    '../_base_/shapes_maps.py',
    '../_base_/schedule_shapes_segmentation.py',
    'mmseg::_base_/default_runtime.py',
]

shapes = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    size=(128, 128),
    pad_val=0,
    seg_pad_val=255,
)
model = dict(
    pretrained=None,
    data_preprocessor=shapes,
    backbone=dict(type='ResNet', depth=18, base_channels=16, stem_channels=16),
    decode_head=dict(in_channels=128, channels=32, num_classes=9),
    auxiliary_head=dict(in_channels=64, channels=16, num_classes=9),
)
log_processor = dict(by_epoch=True)
