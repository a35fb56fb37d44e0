"""The smallest whole study: classification arms, then their transfer into a detector.

Question: on shapes, were the weights that pruning left worth anything?
Run: make demo, or: rethink-det study demo --work-dir work_dirs/demo --workers 2
Hardware: 2 CPU cores, 6.4 minutes; about 10 with the installation.
"""

study = dict(
    title='Demo: ResNet-18 (width 16) on shapes, L1-norm pruning',
    description='Parent, L1-norm pruning, two arms, and their transfer into a detector.',
    seeds=[0, 1, 2, 3, 4],
    classification=dict(
        config='../classification/resnet18-w16_shapes.py',
        pruner=dict(type='L1NormPruner', ratios=0.6),
        arms=['unpruned', 'fine-tune', 'scratch-b'],
        arm_settings=dict(fine_tune_epochs=2, fine_tune_lr=0.001),
        epochs=6,
    ),
    detection=[
        dict(
            config='../detection/faster-rcnn_r18-w16_fpn_shapes.py',
            arms=[
                dict(arm='prune-c', seeds=[0]),
                dict(arm='scratch-b', seeds=[0]),
                dict(arm='random', seeds=[0]),
            ],
            epochs=2,
        ),
    ],
)
