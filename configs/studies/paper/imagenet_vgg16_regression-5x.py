"""VGG-16 on ImageNet as vgg16-5x, from scratch.

Source: arXiv 1810.05270, regression-based feature reconstruction (arXiv 1707.06168).
Run: rethink-det study paper/imagenet_vgg16_regression-5x
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 68.05 Scratch-E, 71.00 Scratch-B (arXiv 1810.05270, README of its code).
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='VGG-16 on ImageNet, channel pruning 5x',
    classification=dict(
        config='../../classification/vgg16_imagenet.py',
        architecture='vgg16-5x',
        arms=['unpruned', 'scratch-e', 'scratch-b'],
        reference={
            'scratch-e': dict(value=68.05, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=71.0, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
