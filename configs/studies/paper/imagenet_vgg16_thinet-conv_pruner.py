"""VGG-16 on ImageNet, pruned as vgg16-thinet-conv here, so that it can be fine-tuned, too.

Source: arXiv 1810.05270, ThiNet (arXiv 1707.06342). There the pruned networks are their authors'
own; here it is this package's, fine-tuned as after L1-norm pruning.
Run: rethink-det study paper/imagenet_vgg16_thinet-conv_pruner
Hardware: a GPU that holds a batch of 256; not run.
Expected: from scratch as imagenet_vgg16_thinet-conv; fine-tuned, none is published.
"""

_base_ = 'imagenet_vgg16_thinet-conv.py'

study = dict(
    title='VGG-16 on ImageNet, ThiNet-Conv, pruned here',
    classification=dict(
        architecture=None,
        pruner=dict(type='ThiNetPruner', target='vgg16-thinet-conv'),
        arms=['unpruned', 'fine-tune', 'scratch-e', 'scratch-b'],
    ),
)
