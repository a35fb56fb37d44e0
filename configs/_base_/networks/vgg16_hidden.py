"""VGG-16 for CIFAR with a hidden layer of 512, as L1-norm pruning has it."""

_base_ = '../classifier_cifar.py'

model = dict(
    backbone=dict(
        type='rethink_det.VGG', depth=16, conv_bias=False, bn_weight=0.5, last_pool=False
    ),
    head=dict(
        _delete_=True,
        type='rethink_det.MLPHead',
        num_classes=10,
        hidden=(512,),
        pool=1,
        norm=True,
        dropout=0,
    ),
)
