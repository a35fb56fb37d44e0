"""CIFAR-10 from its official archive, ``data/cifar10/cifar-10-python.tar.gz`` or extracted.

Loaders as for the folder of images. Normalisation belongs to the model's data_preprocessor:
mean .4914 .4822 .4465, std .2023 .1994 .2010 in all recipes but soft filter pruning's.

To hold images out of training and evaluate on them: ``val=5000`` in both data sets and
``split='val'`` in that of val_dataloader.
"""

_base_ = 'cifar10_folder.py'

train_dataloader = dict(dataset=dict(type='rethink_det.CIFAR10', val=0))
val_dataloader = dict(dataset=dict(type='rethink_det.CIFAR10', val=0))
test_dataloader = val_dataloader
