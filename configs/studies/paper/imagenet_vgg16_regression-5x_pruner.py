"""VGG-16 on ImageNet, pruned as vgg16-5x here, so that it can be fine-tuned, too.

Source: arXiv 1810.05270, regression-based feature reconstruction (arXiv 1707.06168). There the
pruned networks are their authors' own; here it is this package's, fine-tuned as after L1-norm
pruning.
Run: rethink-det study paper/imagenet_vgg16_regression-5x_pruner
Hardware: a GPU that holds a batch of 256; not run.
Expected: from scratch as imagenet_vgg16_regression-5x; fine-tuned, none is published.
"""

_base_ = 'imagenet_vgg16_regression-5x.py'

study = dict(
    title='VGG-16 on ImageNet, channel pruning 5x, pruned here',
    classification=dict(
        architecture=None,
        pruner=dict(type='RegressionPruner', target='vgg16-5x'),
        arms=['unpruned', 'fine-tune', 'scratch-e', 'scratch-b'],
    ),
)
