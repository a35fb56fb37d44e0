"""The classification view of the shapes data set: 6,000 training and 1,000 test crops."""

train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='rethink_det.batch_collate'),
    dataset=dict(type='rethink_det.ShapesCrops', data_root='data/shapes', split='train'),
)
val_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='rethink_det.batch_collate'),
    dataset=dict(type='rethink_det.ShapesCrops', data_root='data/shapes', split='test'),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='rethink_det.Accuracy', topk=(1, 5))
test_evaluator = val_evaluator
