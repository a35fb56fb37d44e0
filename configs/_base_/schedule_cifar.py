"""The CIFAR recipe of arXiv 1810.05270: 160 epochs, lr 0.1, divided by ten at 80 and 120."""

optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = [dict(type='MultiStepLR', milestones=[80, 120], gamma=0.1)]
train_cfg = dict(type='rethink_det.FastEpochLoop', max_epochs=160, val_interval=10)
