"""VGG-16 on ImageNet: ThiNet and regression.

Source: arXiv 1810.05270, ThiNet (arXiv 1707.06342), regression-based feature reconstruction (arXiv
1707.06168). The pruned networks are their authors' own, without weights; those that are called
*_pruner are pruned to the same widths here, and fine-tuned as after L1-norm pruning.
Run: rethink-det study paper/imagenet_vgg16
Hardware: a GPU that holds a batch of 256; not run.
Cost: about 2,500 GPU hours, 810 for one seed without controls (--seeds 0 --cfg-options
    study.classification.controls=False), counted at 10^13 multiply-adds a second and not measured.
Expected: the published top-1 stands beside each arm, see _base_/published.py.
"""

_base_ = ['../../_base_/study_imagenet.py', '../../_base_/published.py']

study = dict(
    title='VGG-16 on ImageNet',
    classification=dict(
        config='../../classification/vgg16_imagenet.py',
        controls=True,
        variants={
            'thinet-conv': dict(
                architecture='vgg16-thinet-conv',
                arms=['unpruned', 'scratch-e', 'scratch-b'],
                reference={{_base_.published.vgg16_thinet_conv}},
            ),
            'thinet-conv_pruner': dict(
                pruner=dict(type='ThiNetPruner', target='vgg16-thinet-conv'),
                reference={{_base_.published.vgg16_thinet_conv}},
            ),
            'thinet-gap': dict(
                architecture='vgg16-thinet-gap',
                arms=['unpruned', 'scratch-e', 'scratch-b'],
                reference={{_base_.published.vgg16_thinet_gap}},
            ),
            'thinet-tiny': dict(
                architecture='vgg16-thinet-tiny',
                arms=['unpruned', 'scratch-e', 'scratch-b'],
                reference={{_base_.published.vgg16_thinet_tiny}},
            ),
            'regression-5x': dict(
                architecture='vgg16-5x',
                arms=['unpruned', 'scratch-e', 'scratch-b'],
                reference={{_base_.published.vgg16_regression_5x}},
            ),
            'regression-5x_pruner': dict(
                pruner=dict(type='RegressionPruner', target='vgg16-5x'),
                reference={{_base_.published.vgg16_regression_5x}},
            ),
        },
    ),
)
