"""Four arms of a segmenter on shapes: what does FCN owe to a pruned backbone's weights?

Question: on shapes, is the mIoU of a small FCN due to the weights that pruning left?
Run: rethink-det study segmentation --work-dir work_dirs/segmentation --workers 2
Needs: the extra mmseg.
"""

study = dict(
    title='FCN with a ResNet-18 (width 16) on shapes, L1-norm pruning',
    description='Three seeds; all segmenters train for the same epochs.',
    seeds=[0, 1, 2],
    classification=dict(
        config='../classification/resnet18-w16_shapes.py',
        pruner=dict(type='L1NormPruner', ratios=0.6),
        arms=['unpruned', 'fine-tune', 'scratch-e'],
        arm_settings=dict(fine_tune_epochs=2, fine_tune_lr=0.001),
        epochs=6,
    ),
    segmentation=[
        dict(
            config='../segmentation/fcn_r18-w16-d8_shapes.py',
            arms=['unpruned', 'prune-c', 'scratch-e', 'random'],
            epochs=4,
        ),
    ],
)
