"""VGG-16 on ImageNet as vgg16-thinet-gap, from scratch.

Source: arXiv 1810.05270, ThiNet (arXiv 1707.06342).
Run: rethink-det study paper/imagenet_vgg16_thinet-gap
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 66.85 Scratch-E, 68.66 Scratch-B (arXiv 1810.05270, README of its code).
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='VGG-16 on ImageNet, ThiNet-GAP',
    classification=dict(
        config='../../classification/vgg16_imagenet.py',
        architecture='vgg16-thinet-gap',
        arms=['unpruned', 'scratch-e', 'scratch-b'],
        reference={
            'scratch-e': dict(value=66.85, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=68.66, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
