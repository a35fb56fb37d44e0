"""ResNet-34 on ImageNet, pruned as resnet34-a and -b by L1 norm.

Source: arXiv 1810.05270, L1-norm filter pruning (arXiv 1608.08710).
Run: rethink-det study paper/imagenet_resnet34
Hardware: a GPU that holds a batch of 256; not run.
Cost: about 560 GPU hours, 170 for one seed without controls (--seeds 0 --cfg-options
    study.classification.controls=False), counted at 10^13 multiply-adds a second and not measured.
Expected: the published top-1 stands beside each arm, see _base_/published.py.
"""

_base_ = ['../../_base_/study_imagenet.py', '../../_base_/published.py']

study = dict(
    title='ResNet-34 on ImageNet',
    classification=dict(
        config='../../classification/resnet34_imagenet.py',
        controls=True,
        reference={{_base_.published.resnet34}},
        variants={
            'l1norm-a': dict(
                pruner=dict(type='L1NormPruner', target='resnet34-a'),
                reference={{_base_.published.resnet34_a}},
            ),
            'l1norm-b': dict(
                pruner=dict(type='L1NormPruner', target='resnet34-b'),
                reference={{_base_.published.resnet34_b}},
            ),
        },
    ),
)
