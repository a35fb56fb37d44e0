"""VGG-11 on ImageNet, half of the channels and hidden units removed by network slimming.

Source: arXiv 1810.05270, network slimming (arXiv 1708.06519).
Run: rethink-det study paper/imagenet_vgg11-bn_slimming
Hardware: a GPU that holds a batch of 256; not run.
Cost: at most 700 GPU hours, 220 for one seed without controls (--seeds 0 --cfg-options
    study.classification.controls=False), counted at 10^13 multiply-adds a second and not measured.
Expected: the published top-1 stands beside each arm, see _base_/published.py. Fine-tuned and
Scratch-E are masked networks there, not smaller ones.
"""

_base_ = ['../../_base_/study_imagenet.py', '../../_base_/published.py']

study = dict(
    title='VGG-11 on ImageNet, network slimming',
    classification=dict(
        config='../../classification/vgg11-bn_slimming_imagenet.py',
        controls=True,
        arm_settings=dict(fine_tune_epochs=5, scratch_b_cap=None),
        variants={
            '50': dict(
                pruner=dict(
                    type='NetworkSlimmingPruner', ratio=0.5, heads=True, strictly_above=True
                ),
                reference={{_base_.published.vgg11_bn_slimming_50}},
            ),
        },
    ),
)
