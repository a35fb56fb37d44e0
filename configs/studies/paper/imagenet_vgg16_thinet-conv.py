"""VGG-16 on ImageNet as vgg16-thinet-conv, from scratch.

Source: arXiv 1810.05270, ThiNet (arXiv 1707.06342).
Run: rethink-det study paper/imagenet_vgg16_thinet-conv
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 68.76 Scratch-E, 71.72 Scratch-B (arXiv 1810.05270, README of its code).
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='VGG-16 on ImageNet, ThiNet-Conv',
    classification=dict(
        config='../../classification/vgg16_imagenet.py',
        architecture='vgg16-thinet-conv',
        arms=['unpruned', 'scratch-e', 'scratch-b'],
        reference={
            'scratch-e': dict(value=68.76, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=71.72, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
