"""The demo's bigger sister: three seeds of everything, longer training.

Question: on shapes, were the weights that pruning left worth anything?
Run: rethink-det study shapes --work-dir work_dirs/shapes --workers 2
Hardware: 2 CPU cores, about an hour and a half.
"""

study = dict(
    title='ResNet-18 (width 16) on shapes, L1-norm pruning, transferred to two detectors',
    description='Three seeds of every arm; detectors train 8 epochs of 600 images.',
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
            arms=['unpruned', 'prune-c', 'prune-d', 'scratch-e', 'scratch-b', 'random'],
            epochs=8,
        ),
        dict(config='../detection/mask-rcnn_r18-w16_fpn_shapes.py', epochs=8),
    ],
)
