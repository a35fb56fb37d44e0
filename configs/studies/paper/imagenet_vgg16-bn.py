"""VGG-16 with BatchNorm on ImageNet, weights of convolutions removed by magnitude.

Source: arXiv 1810.05270, weights by magnitude (arXiv 1506.02626).
Run: rethink-det study paper/imagenet_vgg16-bn
Hardware: a GPU that holds a batch of 256; not run.
Cost: about 3,200 GPU hours, 1,100 for one seed (--seeds 0), counted at 10^13 multiply-adds a
    second and not measured.
Expected: the published top-1 stands beside each arm, see _base_/published.py.
"""

_base_ = ['../../_base_/study_imagenet.py', '../../_base_/published.py']

study = dict(
    title='VGG-16 with BatchNorm on ImageNet',
    classification=dict(
        config='../../classification/vgg16-bn_imagenet.py',
        arm_settings=dict(fine_tune_epochs=10, scratch_b_cap=None),
        variants={
            'magnitude-30': dict(
                pruner=dict(type='MagnitudePruner', ratio=0.3, strictly_above=True),
                reference={{_base_.published.vgg16_bn_magnitude_30}},
            ),
            'magnitude-60': dict(
                pruner=dict(type='MagnitudePruner', ratio=0.6, strictly_above=True),
                reference={{_base_.published.vgg16_bn_magnitude_60}},
            ),
        },
    ),
)
