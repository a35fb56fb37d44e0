"""ResNet-50 on ImageNet as resnet50-thinet-70, from scratch.

Source: arXiv 1810.05270, ThiNet (arXiv 1707.06342).
Run: rethink-det study paper/imagenet_resnet50_thinet-70
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 74.42 Scratch-E, 75.14 Scratch-B (arXiv 1810.05270, README of its code).
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='ResNet-50 on ImageNet, ThiNet-70',
    classification=dict(
        config='../../classification/resnet50_imagenet.py',
        architecture='resnet50-thinet-70',
        arms=['unpruned', 'scratch-e', 'scratch-b'],
        reference={
            'scratch-e': dict(value=74.42, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=75.14, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
