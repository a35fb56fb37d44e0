"""ResNet-56 on CIFAR-10 under soft filter pruning: 70 % of the filters are kept.

Source: Soft Filter Pruning (arXiv 1808.06866), with the settings of arXiv 1810.05270's code
(which shows the run itself at a tenth of this learning rate).
Run: python tools/train.py configs/classification/resnet56_soft-filter_cifar10.py
Prune: rethink-det prune classification/resnet56_soft-filter_cifar10.py CHECKPOINT
    --pruner SoftFilterPruner -o pruned.pth
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = 'resnet56_cifar10.py'

model = dict(
    data_preprocessor=dict(mean=[125.3, 123.0, 113.9], std=[63.0, 62.1, 66.7]),
)
train_dataloader = dict(batch_size=128)
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=5e-4, nesterov=True))
# Up by ten after the first epoch, down by five at 60, 120 and 160.
param_scheduler = [
    dict(type='MultiStepLR', milestones=[1], gamma=10.0),
    dict(type='MultiStepLR', milestones=[60, 120, 160], gamma=0.2),
]
train_cfg = dict(max_epochs=200)
custom_hooks = [dict(type='rethink_det.SoftFilterHook', keep=0.7)]
