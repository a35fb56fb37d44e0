"""ResNet-56 on CIFAR-10 under soft filter pruning that starts from a trained network.

Source: Soft Filter Pruning (arXiv 1808.06866), with the settings of arXiv 1810.05270's code: 200
epochs without pruning, then 200 with it, at a learning rate of 0.001 (0.01 after an epoch).
Run: python tools/train.py configs/classification/resnet56_soft-filter_cifar10.py
    --cfg-options custom_hooks=[] --work-dir work_dirs/resnet56_soft-filter-dense_cifar10
Then: python tools/train.py configs/classification/resnet56_soft-filter-pretrained_cifar10.py
Hardware: one GPU; not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = ['../_base_/default_runtime.py', '../_base_/soft_filter_cifar10.py']

model = dict(backbone=dict(depth=56))
optim_wrapper = dict(optimizer=dict(lr=0.001))
load_from = 'work_dirs/resnet56_soft-filter-dense_cifar10/epoch_200.pth'
