"""The detection view of the shapes data set: 600 training and 150 validation images."""

custom_imports = dict(imports=['rethink_det'])

shapes_train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='Resize', scale=(128, 128), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
shapes_test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(128, 128), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='rethink_det.ShapesCoco',
        data_root='data/shapes',
        ann_file='annotations/instances_train.json',
        data_prefix=dict(img='train/'),
        pipeline=shapes_train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=10,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='rethink_det.ShapesCoco',
        data_root='data/shapes',
        ann_file='annotations/instances_val.json',
        data_prefix=dict(img='val/'),
        test_mode=True,
        pipeline=shapes_test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='rethink_det.CocoMetric',
    ann_file='data/shapes/annotations/instances_val.json',
    metric='bbox',
)
test_evaluator = val_evaluator
