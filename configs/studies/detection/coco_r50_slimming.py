"""ResNet-50 pruned by network slimming at two shares, in Faster and Mask R-CNN on COCO.

Question: is an architecture that training itself found worth more to a detector than its weights?
Of the networks that arXiv 1810.05270 slims, no detector of mmdet reads one. A ResNet-50 of
bottlenecks is the nearest: the channels inside its blocks go. The shares are those of PreResNet-164
there; fine-tuning and Scratch-B are as for its VGG-11. For prune-d the detector is trained without
the penalty; its scales stay near those of the sparse classifier.
Run: rethink-det study detection/coco_r50_slimming
Hardware: a GPU that holds 256 images of 224 x 224 and 16 of 1333 x 800; not run.
Cost: at most 3,900 GPU hours, 830 for one seed without controls (--seeds 0 --cfg-options
    study.classification.controls=False), counted at 10^13 multiply-adds a second and not measured.
Expected: none is published.
"""

_base_ = '../../_base_/study_detection.py'

study = dict(
    title='ResNet-50 pruned by network slimming, in Faster and Mask R-CNN on COCO',
    classification=dict(
        config='../../classification/resnet50_slimming_imagenet.py',
        controls=True,
        pruners={
            'slimming-40': dict(type='NetworkSlimmingPruner', ratio=0.4, strictly_above=True),
            'slimming-60': dict(type='NetworkSlimmingPruner', ratio=0.6, strictly_above=True),
        },
        arm_settings=dict(fine_tune_epochs=5, scratch_b_cap=None),
    ),
)
