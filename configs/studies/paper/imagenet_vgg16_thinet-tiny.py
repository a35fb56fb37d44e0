"""VGG-16 on ImageNet as vgg16-thinet-tiny, from scratch.

Source: arXiv 1810.05270, ThiNet (arXiv 1707.06342).
Run: rethink-det study paper/imagenet_vgg16_thinet-tiny
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 57.15 Scratch-E, 59.93 Scratch-B (arXiv 1810.05270, README of its code).
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='VGG-16 on ImageNet, ThiNet-Tiny',
    classification=dict(
        config='../../classification/vgg16_imagenet.py',
        architecture='vgg16-thinet-tiny',
        arms=['unpruned', 'scratch-e', 'scratch-b'],
        reference={
            'scratch-e': dict(value=57.15, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=59.93, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
