"""Pre-activation ResNet-50 as resnet41-, 32- and 26-sss, in two detectors on COCO, from scratch.

Question: are the layouts that sparse structure selection (arXiv 1707.01213) found worth anything to
a detector? They are published without weights: nothing to fine-tune, no prune-c, no prune-d.
In no arm is a stage frozen or a BatchNorm kept: this backbone has no such settings.
Run: rethink-det study detection/coco_preact-r50
Hardware: a GPU that holds 256 images of 224 x 224 and 16 of 1333 x 800; not run.
Cost: about 2,300 GPU hours, 780 for one seed (--seeds 0), counted at 10^13 multiply-adds a
    second and not measured.
Expected: classifiers as paper/imagenet_preact-resnet50; of detectors, none is published.
"""

_base_ = '../../_base_/study_detection.py'

study = dict(
    title='Pre-activation ResNet-50 pruned by sparse structure selection, in Faster and Mask R-CNN',
    classification=dict(
        config='../../classification/preact-resnet50_imagenet.py',
        arms=['unpruned', 'scratch-e', 'scratch-b'],
        arm_settings=dict(scratch_b_cap=None),
        variants={
            'sparse-structure-41': dict(architecture='resnet41-sss'),
            'sparse-structure-32': dict(architecture='resnet32-sss'),
            'sparse-structure-26': dict(architecture='resnet26-sss'),
        },
    ),
    detection=[
        dict(
            config='../../detection/faster-rcnn_r50_fpn_1x_coco.py',
            arms=['unpruned', 'scratch-e', 'scratch-b', 'random'],
            options={{_base_.one_gpu}},
        ),
        dict(
            config='../../detection/mask-rcnn_r50_fpn_1x_coco.py',
            arms=['unpruned', 'scratch-e', 'scratch-b', 'random'],
            options={{_base_.one_gpu}},
        ),
    ],
)
