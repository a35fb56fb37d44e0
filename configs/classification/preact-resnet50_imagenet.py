"""Pre-activation ResNet-50 on ImageNet, the parent of sparse structure selection.

Source: arXiv 1603.05027, as Sparse Structure Selection (arXiv 1707.01213) prunes it; epochs of
arXiv 1810.05270. It trains without structure scales: the published layouts are compared with it.
Deviation: not the public recipe of the method's authors: _base_/schedule_sparse_structure.py.
Run: python tools/train.py configs/classification/preact-resnet50_imagenet.py
Hardware: a GPU that holds a batch of 256, or several (see the data base); not run.
Expected: no accuracy is published with the code of arXiv 1810.05270.
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/imagenet.py',
    '../_base_/schedule_sparse_structure.py',
    '../_base_/classifier_imagenet.py',
]

model = dict(backbone=dict(type='rethink_det.PreActResNet', depth=50))
