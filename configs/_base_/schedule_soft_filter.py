"""The recipe of soft filter pruning in arXiv 1810.05270: 200 epochs, Nesterov, decay 5e-4.

The learning rate starts at 0.01, goes up to 0.1 after the first epoch and down by five at 60,
120 and 160. The batch, which is the data's, is 128. 70 % of the filters are kept.
"""

_base_ = 'schedule_cifar.py'

optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=5e-4, nesterov=True))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[1], gamma=10.0),
    dict(type='MultiStepLR', milestones=[60, 120, 160], gamma=0.2),
]
train_cfg = dict(max_epochs=200)
custom_hooks = [dict(type='rethink_det.SoftFilterHook', keep=0.7)]
