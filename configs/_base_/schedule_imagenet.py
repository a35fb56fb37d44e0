"""The ImageNet recipe of arXiv 1810.05270: 90 epochs, lr 0.1, divided by ten every 30.

Its VGGs without BatchNorm start at 0.01.
"""

optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = [dict(type='StepLR', step_size=30, gamma=0.1)]
train_cfg = dict(by_epoch=True, max_epochs=90, val_interval=10)
