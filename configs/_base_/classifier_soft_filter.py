"""A classifier of CIFAR-10 images, normalised as the code of soft filter pruning does.

Source: arXiv 1810.05270's code for arXiv 1808.06866. CIFAR-100 has a mean and a deviation of its
own there.
"""

_base_ = 'classifier_cifar.py'

model = dict(
    data_preprocessor=dict(mean=[125.3, 123.0, 113.9], std=[63.0, 62.1, 66.7]),
)
