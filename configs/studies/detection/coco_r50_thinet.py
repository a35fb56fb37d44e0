"""ResNet-50 pruned to 30, 50 and 70 % by ThiNet, in Faster and Mask R-CNN on COCO.

Question: how does the worth of inherited weights to a detector change with how much was pruned?
Pruned here, by this package's ThiNet (arXiv 1707.06342), to the widths of its authors: theirs come
without weights. For prune-d it looks at detection images.
Run: rethink-det study detection/coco_r50_thinet
Parent: with torchvision's weights nothing big is trained:
    --cfg-options study.classification.parent=resnet50.pth
Hardware: a GPU that holds 256 images of 224 x 224 and 16 of 1333 x 800; not run.
Cost: about 4,600 GPU hours, 950 for one seed without controls (--seeds 0 --cfg-options
    study.classification.controls=False), counted at 10^13 multiply-adds a second and not measured.
Expected: classifiers as paper/imagenet_resnet50_thinet-{30,50,70}; of detectors, none is published.
"""

_base_ = '../../_base_/study_detection.py'

study = dict(
    title='ResNet-50 pruned by ThiNet, in Faster and Mask R-CNN on COCO',
    classification=dict(
        config='../../classification/resnet50_imagenet.py',
        controls=True,
        pruners={
            'thinet-30': dict(type='ThiNetPruner', target='resnet50-thinet-30'),
            'thinet-50': dict(type='ThiNetPruner', target='resnet50-thinet-50'),
            'thinet-70': dict(type='ThiNetPruner', target='resnet50-thinet-70'),
        },
    ),
)
