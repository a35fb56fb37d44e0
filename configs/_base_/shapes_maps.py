"""The segmentation view of the shapes data set: 600 training and 150 validation images."""

custom_imports = dict(imports=['rethink_det'])

shapes_train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
shapes_test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='rethink_det.ShapesSegmentation',
        data_root='data/shapes',
        split='train',
        pipeline=shapes_train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='rethink_det.ShapesSegmentation',
        data_root='data/shapes',
        split='val',
        test_mode=True,
        pipeline=shapes_test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='rethink_det.MeanIoU')
test_evaluator = val_evaluator
