"""Every arm that isolates the question, on shapes: five seeds, controls, equal compute.

Question: on shapes, what of a pruned network's quality was the weights, what the choice of
channels, and what only training time?
Run: rethink-det study shapes --work-dir work_dirs/shapes --workers 2
Hardware: 2 CPU cores, about two hours.
"""

study = dict(
    title='ResNet-18 (width 16) on shapes, Taylor pruning, its controls, and a detector',
    description='Five seeds; detectors have the compute of 3 epochs of the unpruned one.',
    seeds=[0, 1, 2, 3, 4],
    classification=dict(
        config='../classification/resnet18-w16_shapes.py',
        pruners=dict(taylor=dict(type='ImportancePruner', importance='taylor', ratios=0.6)),
        controls=True,
        arms=['unpruned', 'fine-tune', 'rewind', 'scratch-e', 'scratch-b'],
        arm_settings=dict(fine_tune_epochs=3, fine_tune_lr=0.001),
        epochs=8,
    ),
    detection=[
        dict(
            config='../detection/faster-rcnn_r18-w16_fpn_shapes.py',
            arms=['unpruned', 'prune-c', 'scratch-b', 'prune-d', 'scratch-d', 'unpruned-d'],
            epochs=3,
            budget='compute',
        ),
    ],
)
