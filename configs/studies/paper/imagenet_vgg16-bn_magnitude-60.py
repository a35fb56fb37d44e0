"""VGG-16 with BatchNorm on ImageNet, 60 % of the weights of convolutions removed.

Source: arXiv 1810.05270, weights by magnitude (arXiv 1506.02626).
Run: rethink-det study paper/imagenet_vgg16-bn_magnitude-60
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 73.63 fine-tuned, 71.50 Scratch-E, 73.42 Scratch-B (arXiv 1810.05270, README of
its code).
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='VGG-16 on ImageNet, 60 % of the weights',
    classification=dict(
        config='../../classification/vgg16-bn_imagenet.py',
        pruner=dict(type='MagnitudePruner', ratio=0.6, strictly_above=True),
        arm_settings=dict(fine_tune_epochs=10, scratch_b_cap=None),
        reference={
            'fine-tune': dict(value=73.63, source='arXiv 1810.05270, README of its code'),
            'scratch-e': dict(value=71.5, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=73.42, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
