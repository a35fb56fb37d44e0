"""A ResNet-18 of base width 8 on shapes crops, for studies of many runs.

Run: python tools/train.py configs/classification/resnet18-w8_shapes.py
"""

_base_ = 'resnet18-w16_shapes.py'

model = dict(backbone=dict(base_channels=8))
