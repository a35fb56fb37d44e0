"""The ImageNet recipe of sparse structure selection: 100 epochs, drops at 30, 60 and 90.

Source: arXiv 1810.05270's code, which says the epochs of arXiv 1707.01213 and no more; the rest
is as in its other ImageNet experiments.
"""

_base_ = 'schedule_imagenet.py'

train_cfg = dict(max_epochs=100)
