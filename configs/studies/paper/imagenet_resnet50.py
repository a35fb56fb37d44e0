"""ResNet-50 on ImageNet: ThiNet, regression, and weights by magnitude.

Source: arXiv 1810.05270, ThiNet (arXiv 1707.06342), regression-based feature reconstruction (arXiv
1707.06168), weights by magnitude (arXiv 1506.02626). The pruned networks of ThiNet and regression
are their authors' own, without weights; those that are called *_pruner are pruned to the same
widths here, and fine-tuned as after L1-norm pruning. Controls stand beside ThiNet alone: blocks
that regression prunes select from their input, and magnitude masks weights; no widths tell either.
Run: rethink-det study paper/imagenet_resnet50
Hardware: a GPU that holds a batch of 256; not run.
Cost: about 2,300 GPU hours, 730 for one seed without controls (--seeds 0 --cfg-options
    study.classification.controls=False), counted at 10^13 multiply-adds a second and not measured.
Expected: the published top-1 stands beside each arm, see _base_/published.py.
"""

_base_ = ['../../_base_/study_imagenet.py', '../../_base_/published.py']

study = dict(
    title='ResNet-50 on ImageNet',
    classification=dict(
        config='../../classification/resnet50_imagenet.py',
        controls=True,
        variants={
            'thinet-30': dict(
                architecture='resnet50-thinet-30',
                arms=['unpruned', 'scratch-e', 'scratch-b'],
                reference={{_base_.published.resnet50_thinet_30}},
            ),
            'thinet-30_pruner': dict(
                pruner=dict(type='ThiNetPruner', target='resnet50-thinet-30'),
                reference={{_base_.published.resnet50_thinet_30}},
            ),
            'thinet-50': dict(
                architecture='resnet50-thinet-50',
                arms=['unpruned', 'scratch-e', 'scratch-b'],
                reference={{_base_.published.resnet50_thinet_50}},
            ),
            'thinet-50_pruner': dict(
                pruner=dict(type='ThiNetPruner', target='resnet50-thinet-50'),
                reference={{_base_.published.resnet50_thinet_50}},
            ),
            'thinet-70': dict(
                architecture='resnet50-thinet-70',
                arms=['unpruned', 'scratch-e', 'scratch-b'],
                reference={{_base_.published.resnet50_thinet_70}},
            ),
            'thinet-70_pruner': dict(
                pruner=dict(type='ThiNetPruner', target='resnet50-thinet-70'),
                reference={{_base_.published.resnet50_thinet_70}},
            ),
            'regression-2x': dict(
                architecture='resnet50-2x',
                arms=['unpruned', 'scratch-e', 'scratch-b'],
                reference={{_base_.published.resnet50_regression_2x}},
            ),
            'regression-2x_pruner': dict(
                pruner=dict(type='RegressionPruner', target='resnet50-2x'),
                controls=False,
                reference={{_base_.published.resnet50_regression_2x}},
            ),
            'magnitude-30': dict(
                pruner=dict(type='MagnitudePruner', ratio=0.3, strictly_above=True),
                controls=False,
                arm_settings=dict(fine_tune_epochs=10, scratch_b_cap=None),
                reference={{_base_.published.resnet50_magnitude_30}},
            ),
            'magnitude-60': dict(
                pruner=dict(type='MagnitudePruner', ratio=0.6, strictly_above=True),
                controls=False,
                arm_settings=dict(fine_tune_epochs=10, scratch_b_cap=None),
                reference={{_base_.published.resnet50_magnitude_60}},
            ),
        },
    ),
)
