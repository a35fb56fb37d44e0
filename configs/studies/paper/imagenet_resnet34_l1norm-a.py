"""ResNet-34 on ImageNet, pruned as resnet34-a by L1 norm.

Source: arXiv 1810.05270, L1-norm filter pruning (arXiv 1608.08710).
Run: rethink-det study paper/imagenet_resnet34_l1norm-a
Hardware: a GPU that holds a batch of 256; not run.
Expected: top-1 73.31 unpruned, 72.56 fine-tuned, 72.77 Scratch-E, 73.08 Scratch-B (arXiv
1810.05270 and the README of its code). For Scratch-B the paper itself has 73.03.
"""

_base_ = '../../_base_/study_imagenet.py'

study = dict(
    title='ResNet-34 on ImageNet, L1-norm pruning A',
    classification=dict(
        config='../../classification/resnet34_imagenet.py',
        pruner=dict(type='L1NormPruner', target='resnet34-a'),
        reference={
            'unpruned': dict(value=73.31, source='arXiv 1810.05270'),
            'fine-tune': dict(value=72.56, source='arXiv 1810.05270, README of its code'),
            'scratch-e': dict(value=72.77, source='arXiv 1810.05270, README of its code'),
            'scratch-b': dict(value=73.08, source='arXiv 1810.05270, README of its code'),
        },
    ),
)
