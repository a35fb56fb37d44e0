"""A network of 9 convolutions on a few shapes crops."""

default_scope = 'mmengine'
custom_imports = dict(imports=['rethink_det'])
model = dict(
    type='rethink_det.Classifier',
    backbone=dict(type='rethink_det.CifarResNet', depth=8, base_channels=4),
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
shapes = dict(
    type='rethink_det.ShapesCrops', data_root='data/shapes', crops=(64, 32), images=(4, 2)
)
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='rethink_det.batch_collate'),
    dataset=dict(split='train', **shapes),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='rethink_det.batch_collate'),
    dataset=dict(split='test', **shapes),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='rethink_det.Accuracy', topk=(1, 5))
test_evaluator = val_evaluator
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4)
)
param_scheduler = [dict(type='MultiStepLR', milestones=[2], gamma=0.1)]
train_cfg = dict(by_epoch=True, max_epochs=2, val_interval=1)
val_cfg = dict()
test_cfg = dict()
