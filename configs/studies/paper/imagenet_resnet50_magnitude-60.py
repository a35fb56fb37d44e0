"""ResNet-50 on ImageNet, 60 % of the weights of convolutions removed.

Source: arXiv 1810.05270, weights by magnitude (arXiv 1506.02626).
Run: rethink-det study paper/imagenet_resnet50_magnitude-60
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 76.09 fine-tuned, 73.69 Scratch-E, 74.90 Scratch-B (arXiv 1810.05270, README of
its code).
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='ResNet-50 on ImageNet, 60 % of the weights',
    classification=dict(
        config='../../classification/resnet50_imagenet.py',
        pruner=dict(type='MagnitudePruner', ratio=0.6, strictly_above=True),
        arm_settings=dict(fine_tune_epochs=10, scratch_b_cap=None),
        reference={
            'fine-tune': dict(value=76.09, source='arXiv 1810.05270, README of its code'),
            'scratch-e': dict(value=73.69, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=74.9, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
