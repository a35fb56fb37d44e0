"""ResNet-34 pruned as resnet34-a and resnet34-b by L1 norm, in Faster and Mask R-CNN on COCO.

Question: are the weights that L1-norm pruning leaves worth anything to a detector, and is it worth
pruning the detector itself?
Run: rethink-det study detection/coco_r34_l1norm
Parent: with torchvision's weights, as in arXiv 1810.05270, nothing big is trained:
    --cfg-options study.classification.parent=resnet34-333f7ec4.pth
Hardware: a GPU that holds 256 images of 224 x 224 and 16 of 1333 x 800; not run.
Cost: about 2,800 GPU hours, 720 for one seed without controls (--seeds 0 --cfg-options
    study.classification.controls=False), counted at 10^13 multiply-adds a second and not measured.
Expected: classifiers as paper/imagenet_resnet34_l1norm-{a,b}; of detectors, none is published.
"""

_base_ = '../../_base_/study_detection.py'

study = dict(
    title='ResNet-34 pruned by L1 norm, in Faster and Mask R-CNN on COCO',
    classification=dict(
        config='../../classification/resnet34_imagenet.py',
        controls=True,
        pruners=dict(
            a=dict(type='L1NormPruner', target='resnet34-a'),
            b=dict(type='L1NormPruner', target='resnet34-b'),
        ),
    ),
    detection=[
        dict(
            config='../../detection/faster-rcnn_r34_fpn_1x_coco.py',
            arms={{_base_.every_arm}},
            options={{_base_.one_gpu}},
        ),
        dict(
            config='../../detection/mask-rcnn_r34_fpn_1x_coco.py',
            arms={{_base_.every_arm}},
            options={{_base_.one_gpu}},
        ),
    ],
)
