"""ResNet-50 on ImageNet, pruned as resnet50-thinet-50 here, so that it can be fine-tuned, too.

Source: arXiv 1810.05270, ThiNet (arXiv 1707.06342). There the pruned networks are their authors'
own; here it is this package's, fine-tuned as after L1-norm pruning.
Run: rethink-det study paper/imagenet_resnet50_thinet-50_pruner
Hardware: a GPU that holds a batch of 256; not run.
Expected: from scratch as imagenet_resnet50_thinet-50; fine-tuned, none is published.
"""

_base_ = 'imagenet_resnet50_thinet-50.py'

study = dict(
    title='ResNet-50 on ImageNet, ThiNet-50, pruned here',
    classification=dict(
        architecture=None,
        pruner=dict(type='ThiNetPruner', target='resnet50-thinet-50'),
        arms=['unpruned', 'fine-tune', 'scratch-e', 'scratch-b'],
    ),
)
