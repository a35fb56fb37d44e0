"""ResNet-50 pruned to half its compute by feature regression, in Faster and Mask R-CNN on COCO.

Question: does a method that adjusts the weights it keeps leave a detector more than L1 norm does?
Pruned here, by this package's regression (arXiv 1707.06168), to the widths of its authors: theirs
come without weights. For prune-d it looks at detection images. It has no controls: its blocks
select from their input, which no other method does.
Run: rethink-det study detection/coco_r50_regression-2x
Parent: with torchvision's weights nothing big is trained:
    --cfg-options study.classification.parent=resnet50.pth
Hardware: a GPU that holds 256 images of 224 x 224 and 16 of 1333 x 800; not run.
Cost: about 1,300 GPU hours, 420 for one seed (--seeds 0), counted at 10^13 multiply-adds a
    second and not measured.
Expected: classifiers as paper/imagenet_resnet50_regression-2x; of detectors, none is published.
"""

_base_ = '../../_base_/study_detection.py'

study = dict(
    title='ResNet-50 pruned by regression, in Faster and Mask R-CNN on COCO',
    classification=dict(
        config='../../classification/resnet50_imagenet.py',
        pruner=dict(type='RegressionPruner', target='resnet50-2x'),
    ),
)
