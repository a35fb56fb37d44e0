"""ResNet-50 on ImageNet as resnet50-thinet-50, from scratch.

Source: arXiv 1810.05270, ThiNet (arXiv 1707.06342).
Run: rethink-det study paper/imagenet_resnet50_thinet-50
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 73.31 Scratch-E, 73.90 Scratch-B (arXiv 1810.05270, README of its code).
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='ResNet-50 on ImageNet, ThiNet-50',
    classification=dict(
        config='../../classification/resnet50_imagenet.py',
        architecture='resnet50-thinet-50',
        arms=['unpruned', 'scratch-e', 'scratch-b'],
        reference={
            'scratch-e': dict(value=73.31, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=73.9, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
