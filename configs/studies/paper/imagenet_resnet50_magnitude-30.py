"""ResNet-50 on ImageNet, 30 % of the weights of convolutions removed.

Source: arXiv 1810.05270, weights by magnitude (arXiv 1506.02626).
Run: rethink-det study paper/imagenet_resnet50_magnitude-30
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 76.06 fine-tuned, 74.77 Scratch-E, 75.60 Scratch-B (arXiv 1810.05270, README of
its code).
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='ResNet-50 on ImageNet, 30 % of the weights',
    classification=dict(
        config='../../classification/resnet50_imagenet.py',
        pruner=dict(type='MagnitudePruner', ratio=0.3, strictly_above=True),
        arm_settings=dict(fine_tune_epochs=10, scratch_b_cap=None),
        reference={
            'fine-tune': dict(value=76.06, source='arXiv 1810.05270, README of its code'),
            'scratch-e': dict(value=74.77, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=75.6, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
