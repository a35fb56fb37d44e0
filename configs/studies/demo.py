"""The smallest whole study: classification arms, then their transfer into detectors.

Question: on shapes, were the weights that pruning left worth anything?
Run: make demo, or: rethink-det study demo --work-dir work_dirs/demo --workers 2
Hardware: 2 CPU cores.
"""

study = dict(
    title='Demo: ResNet-18 (width 16) on shapes, L1-norm pruning',
    description='Parent, L1-norm pruning, three arms, and their transfer into two detectors.',
    seeds=[0, 1, 2],
    classification=dict(
        config='../classification/resnet18-w16_shapes.py',
        pruner=dict(type='L1NormPruner', ratios=0.6),
        arms=['unpruned', 'fine-tune', 'scratch-e', 'scratch-b'],
        arm_settings=dict(fine_tune_epochs=6, fine_tune_lr=0.001),
    ),
    detection=[
        dict(
            config='../detection/faster-rcnn_r18-w16_fpn_shapes.py',
            arms=['unpruned', 'prune-c', 'scratch-b', 'random'],
            epochs=3,
        ),
        dict(
            config='../detection/mask-rcnn_r18-w16_fpn_shapes.py',
            arms=['prune-c', 'scratch-b'],
            seeds=[0],
            epochs=3,
        ),
    ],
)
