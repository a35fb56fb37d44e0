"""VGG-11 on ImageNet, half of the channels and hidden units removed by network slimming.

Source: arXiv 1810.05270, network slimming (arXiv 1708.06519).
Run: rethink-det study paper/imagenet_vgg11-bn_slimming-50
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 68.62 fine-tuned, 70.00 Scratch-E, 71.18 Scratch-B (arXiv 1810.05270, README of
its code). The first two there train a masked network, not a smaller one.
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='VGG-11 on ImageNet, network slimming 50 %',
    classification=dict(
        config='../../classification/vgg11-bn_slimming_imagenet.py',
        pruner=dict(type='NetworkSlimmingPruner', ratio=0.5, heads=True, strictly_above=True),
        arm_settings=dict(fine_tune_epochs=5, scratch_b_cap=None),
        reference={
            'fine-tune': dict(value=68.62, source='arXiv 1810.05270, README of its code'),
            'scratch-e': dict(value=70.0, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=71.18, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
