"""ResNet-50 on ImageNet as resnet50-2x, from scratch.

Source: arXiv 1810.05270, regression-based feature reconstruction (arXiv 1707.06168).
Run: rethink-det study paper/imagenet_resnet50_regression-2x
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 71.26 Scratch-E, 74.58 Scratch-B (arXiv 1810.05270, README of its code).
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='ResNet-50 on ImageNet, channel pruning 2x',
    classification=dict(
        config='../../classification/resnet50_imagenet.py',
        architecture='resnet50-2x',
        arms=['unpruned', 'scratch-e', 'scratch-b'],
        reference={
            'scratch-e': dict(value=71.26, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=74.58, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
