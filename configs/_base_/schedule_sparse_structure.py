"""Epochs of sparse structure selection on ImageNet, 100 with drops at 30, 60 and 90.

Source: arXiv 1810.05270's code, which says of these experiments no more than the epochs.
Deviation: from the recipe of the method's authors (``TuSimple/sparse-structure-selection``,
MXNet), which is public: Nesterov momentum, batches of 128 over four GPUs (BatchNorm sees 32),
brightness, contrast and saturation changed by up to 0.4, PCA noise of 0.1, and weights drawn by
fan-in. Here the rest is as in the other ImageNet experiments: no Nesterov, 256 images, crops and
flips alone, fan-out. The learning rate and weight decay that arXiv 1810.05270 trained with are
not known here; they are 0.1 and 1e-4, as in ``config/cfgs.py`` of the method's authors.
"""

_base_ = 'schedule_imagenet.py'

train_cfg = dict(max_epochs=100)
