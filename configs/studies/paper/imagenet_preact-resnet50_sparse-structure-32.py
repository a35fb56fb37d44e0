"""Pre-activation ResNet-50 on ImageNet as resnet32-sss, from scratch.

Source: arXiv 1810.05270, sparse structure selection (arXiv 1707.01213).
Run: rethink-det study paper/imagenet_preact-resnet50_sparse-structure-32
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 73.79 Scratch-E, 74.67 Scratch-B (arXiv 1810.05270, README of its code).
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='Pre-activation ResNet-50 on ImageNet, ResNet-32 of sparse structure selection',
    classification=dict(
        config='../../classification/preact-resnet50_imagenet.py',
        architecture='resnet32-sss',
        arms=['unpruned', 'scratch-e', 'scratch-b'],
        arm_settings=dict(scratch_b_cap=None),
        reference={
            'scratch-e': dict(value=73.79, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=74.67, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
