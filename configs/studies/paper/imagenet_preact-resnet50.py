"""Pre-activation ResNet-50 on ImageNet as resnet41-sss, resnet32-sss, resnet26-sss, from scratch.

Source: arXiv 1810.05270, sparse structure selection (arXiv 1707.01213).
Run: rethink-det study paper/imagenet_preact-resnet50
Hardware: a GPU that holds a batch of 256; not run.
Cost: about 800 GPU hours, 270 for one seed (--seeds 0), counted at 10^13 multiply-adds a
    second and not measured.
Expected: the published top-1 stands beside each arm, see _base_/published.py. The recipe is not
    that of the method's authors, see _base_/schedule_sparse_structure.py.
"""

_base_ = ['../../_base_/study_imagenet.py', '../../_base_/published.py']

study = dict(
    title='Pre-activation ResNet-50 on ImageNet',
    classification=dict(
        config='../../classification/preact-resnet50_imagenet.py',
        arms=['unpruned', 'scratch-e', 'scratch-b'],
        arm_settings=dict(scratch_b_cap=None),
        variants={
            'sparse-structure-41': dict(
                architecture='resnet41-sss',
                reference={{_base_.published.preact_resnet50_sparse_structure_41}},
            ),
            'sparse-structure-32': dict(
                architecture='resnet32-sss',
                reference={{_base_.published.preact_resnet50_sparse_structure_32}},
            ),
            'sparse-structure-26': dict(
                architecture='resnet26-sss',
                reference={{_base_.published.preact_resnet50_sparse_structure_26}},
            ),
        },
    ),
)
