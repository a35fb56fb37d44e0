"""A short recipe for the shapes crops: 24 epochs, lr 0.1, divided by ten at 12 and 18."""

optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(type='MultiStepLR', milestones=[12, 18], gamma=0.1),
]
train_cfg = dict(type='rethink_det.FastEpochLoop', max_epochs=24, val_interval=24)
