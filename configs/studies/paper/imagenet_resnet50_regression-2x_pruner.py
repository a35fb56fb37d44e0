"""ResNet-50 on ImageNet, pruned as resnet50-2x here, so that it can be fine-tuned, too.

Source: arXiv 1810.05270, regression-based feature reconstruction (arXiv 1707.06168). There the
pruned networks are their authors' own; here it is this package's, fine-tuned as after L1-norm
pruning.
Run: rethink-det study paper/imagenet_resnet50_regression-2x_pruner
Hardware: a GPU that holds a batch of 256; not run.
Expected: from scratch as imagenet_resnet50_regression-2x; fine-tuned, none is published.
"""

_base_ = 'imagenet_resnet50_regression-2x.py'

study = dict(
    title='ResNet-50 on ImageNet, channel pruning 2x, pruned here',
    classification=dict(
        architecture=None,
        pruner=dict(type='RegressionPruner', target='resnet50-2x'),
        arms=['unpruned', 'fine-tune', 'scratch-e', 'scratch-b'],
    ),
)
